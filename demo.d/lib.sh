# Words, colours, waiting. Sourced by ./demo.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' yellow='' plain=''
fi

scene() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
die() {
  printf '%sdemo: error: %s%s\n' "$red" "$1" "$plain" >&2
  [ $# -lt 2 ] || printf 'demo: hint: %s\n' "$2" >&2
  exit 1
}

# Shows a command as a reader would type it, then runs it.
run() {
  local shown="$*"
  shown=${shown//"$SALLYPORT"/sallyport}
  shown=${shown//"$TEMPSENSOR"/tempsensor}
  shown=${shown//"$DIR"/\$DEMO_DIR}
  printf '%s$ %s%s\n' "$dim" "$shown" "$plain"
  "$@"
}

# Colours the steps of a verdict; leaves everything else alone.
paint() {
  if [ -z "$bold" ]; then cat; else
    sed -u -e "s/\(^ *\|link [-0-9]* *\)\(passed\)\b/\1$green\2$plain/" -e "s/^\( *\)\(failed\)\b/\1$red\2$plain/" \
      -e "s/^\( *\)\(skipped\|warned\)\b/\1$yellow\2$plain/"
  fi
}

# wait_until SECONDS WHAT COMMAND...: asks again until it succeeds.
wait_until() {
  local limit=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + limit))
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || die "$what did not happen within $limit seconds" "look into $DIR/logs"
    sleep 0.05
  done
}

# alive PID: a process that runs, and is not one that has ended and waits to be asked for its result.
alive() {
  local state
  state=$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) || return 1
  [ -n "$state" ] && [ "$state" != Z ]
}

# something_listens ADDRESS PORT
something_listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# may_bind PORT
may_bind() {
  local least
  [ "$(id -u)" -ne 0 ] || return 0
  least=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
  [ "$1" -ge "$least" ]
}

# pick_port ADDRESS PORT: the port, or 0 (any free one) where it cannot be had.
pick_port() {
  if may_bind "$2" && ! something_listens "$1" "$2"; then echo "$2"; else echo 0; fi
}

# The steps of a verdict as a role has logged them: verdict_of ROLE EVENT WORDS...: the newest line that has them all.
verdict_of() {
  local role=$1 event=$2 line word steps
  shift 2
  line=$(grep -F " $event " "$DIR/logs/$role.log" || true)
  for word in "$@"; do line=$(printf '%s\n' "$line" | grep -F -- "$word" || true); done
  line=$(printf '%s\n' "$line" | tail -n 1)
  [ -n "$line" ] || die "the $role has logged no $event with $*" "look into $DIR/logs/$role.log"
  steps=$(printf '%s\n' "$line" | sed -n 's/.* steps="\(\([^"\\]\|\\.\)*\)".*/\1/p')
  printf '%b\n' "${steps//\\\"/\"}" | paint
}
