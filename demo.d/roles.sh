# The processes of the demo: where they live, how they start and end, what build/demo/env says. Sourced by ./demo.

STATE=$TREE/build/demo
ENV_FILE=$STATE/env
SALLYPORT=$TREE/build/$PRESET/sallyport
TEMPSENSOR=$TREE/build/$PRESET/tempsensor
HUB_NAME=ContosoIotHub
HUB_ADDRESS=127.0.0.2
GATEWAY_ADDRESS=127.0.0.3
DIR=''

build_programs() {
  mkdir -p build
  local log=build/demo-build.log
  [ -x "$SALLYPORT" ] || say "Building (a few minutes the first time; $log has the details)"
  { cmake --preset "$PRESET" && cmake --build --preset "$PRESET" --target sallyport tempsensor; } >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "the build failed" "the whole output is in $log"
  }
}

# A Unix socket path has at most 107 bytes, so the data lies under a short directory and not in the tree.
open_demo() {
  mkdir -p "$STATE"
  exec 9>"$STATE/lock"
  flock -n 9 || die "the demo already runs" "end it with Ctrl-C in its terminal"
  if [ -s "$STATE/dir" ]; then DIR=$(cat "$STATE/dir"); fi
  if [ "$1" = yes ] && [ -n "$DIR" ]; then
    case "$DIR" in /tmp/sallyport-demo.*) rm -rf "$DIR" ;; esac
    DIR=''
  fi
  if [ -z "$DIR" ] || [ ! -d "$DIR" ] || [ ! -O "$DIR" ]; then
    DIR=$(mktemp -d /tmp/sallyport-demo.XXXXXX)
    printf '%s' "$DIR" >"$STATE/dir"
  fi
  rm -f "$ENV_FILE"
  mkdir -p "$DIR/logs" "$DIR/run"
  # A demo that was killed has left its processes behind.
  local left role exe
  for left in "$DIR"/run/*.pid; do
    [ -s "$left" ] || continue
    exe=$(readlink "/proc/$(cat "$left")/exe" 2>/dev/null || true)
    [ "${exe% (deleted)}" = "$SALLYPORT" ] || continue
    role=$(basename "$left" .pid)
    stop_role "$role"
  done
  rm -f "$DIR"/logs/*.log "$DIR"/run/*
  paths_of_demo
}

paths_of_demo() {
  CA=$DIR/ca HUB=$DIR/hub EDGE_ROOT=$DIR/edge SENSOR=$DIR/sensor OPERATOR=$DIR/operator
  # The public half of the PKI, as it is handed to everybody.
  ROOT_CA=$DIR/my_private_root_CA.pem
}

close_demo() {
  local status=$? role
  trap - EXIT INT TERM
  for role in hub edge gateway; do
    if has_ended_by_itself "$role"; then tell_end "$role"; fi
  done
  [ -z "${MONITOR:-}" ] || kill "$MONITOR" 2>/dev/null || true
  for role in gateway edge hub; do stop_role "$role" || true; done
  rm -f "$ENV_FILE"
  exit "$status"
}

# start_role ROLE COMMAND...: starts it in the background and returns once it serves.
start_role() {
  local role=$1 pid
  shift
  rm -f "$DIR/run/$role.ready" "$DIR/run/$role.stopped"
  setsid "$@" --ready-file "$DIR/run/$role.ready" >>"$DIR/logs/$role.log" 2>&1 9>&- </dev/null &
  pid=$!
  printf '%s' "$pid" >"$DIR/run/$role.pid"
  local deadline=$((SECONDS + 60))
  until [ -s "$DIR/run/$role.ready" ]; do
    alive "$pid" || { tell_end "$role"; die "the $role ended before it served"; }
    [ "$SECONDS" -lt "$deadline" ] || die "the $role does not serve after 60 seconds" "look into $DIR/logs/$role.log"
    sleep 0.05
  done
}

ready_value() { sed -n "s/^$2=//p" "$DIR/run/$1.ready" | tail -n 1; }
pid_of() { cat "$DIR/run/$1.pid" 2>/dev/null || true; }

stop_role() {
  local role=$1 pid deadline
  pid=$(pid_of "$role")
  [ -n "$pid" ] || return 0
  : >"$DIR/run/$role.stopped"
  kill -TERM "$pid" 2>/dev/null || true
  deadline=$((SECONDS + 15))
  while alive "$pid"; do
    if [ "$SECONDS" -ge "$deadline" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
    sleep 0.05
  done
  rm -f "$DIR/run/$role.pid"
}

has_ended_by_itself() {
  local pid
  pid=$(pid_of "$1")
  [ -n "$pid" ] && ! alive "$pid" && [ ! -e "$DIR/run/$1.stopped" ]
}

tell_end() {
  printf '%sThe %s has ended by itself. Its last words:%s\n' "$red" "$1" "$plain" >&2
  tail -n 8 "$DIR/logs/$1.log" | sed 's/^/  /' >&2
}

start_hub() {
  start_role hub "$SALLYPORT" hub run --data "$HUB" --listen "$HUB_ADDRESS" \
    --mqtt-port "$(cat "$DIR/hub.mqtt_port" 2>/dev/null || pick_port "$HUB_ADDRESS" 8883)" \
    --https-port "$(cat "$DIR/hub.https_port" 2>/dev/null || pick_port "$HUB_ADDRESS" 443)"
  HUB_MQTT_PORT=$(ready_value hub MQTT_PORT) HUB_HTTPS_PORT=$(ready_value hub HTTPS_PORT)
  printf '%s' "$HUB_MQTT_PORT" >"$DIR/hub.mqtt_port"
  printf '%s' "$HUB_HTTPS_PORT" >"$DIR/hub.https_port"
}

start_edge() { start_role edge "$SALLYPORT" edge run --root "$EDGE_ROOT"; }

start_gateway() {
  start_role gateway "$SALLYPORT" gateway run --root "$EDGE_ROOT" --listen "$GATEWAY_ADDRESS" \
    --mqtt-port "$(cat "$DIR/gateway.mqtt_port" 2>/dev/null || pick_port "$GATEWAY_ADDRESS" 8883)"
  GATEWAY_MQTT_PORT=$(ready_value gateway MQTT_PORT)
  printf '%s' "$GATEWAY_MQTT_PORT" >"$DIR/gateway.mqtt_port"
}

# Lines that a shell can source; DEMO_READY is the last one, once the scenario has been played.
write_env() {
  local ready=${1:-} beside=$ENV_FILE.new
  (
    umask 077
    {
      printf 'DEMO_DIR=%q\nHUB_HOST=%q\nHUB_ADDRESS=%q\n' "$DIR" "$HUB_NAME" "$HUB_ADDRESS"
      printf 'HUB_MQTT_PORT=%q\nHUB_HTTPS_PORT=%q\nHUB_CA_FILE=%q\n' "$HUB_MQTT_PORT" "$HUB_HTTPS_PORT" "$ROOT_CA"
      printf 'IOTHUB_CONNECTION_STRING=%q\n' "$IOTHUB_CONNECTION_STRING"
      printf 'EDGE_ROOT=%q\nGATEWAY_ADDRESS=%q\nGATEWAY_MQTT_PORT=%q\n' "$EDGE_ROOT" "$GATEWAY_ADDRESS" "$GATEWAY_MQTT_PORT"
      printf 'ROOT_CA_FILE=%q\nTEMPSENSOR_CERT=%q\nTEMPSENSOR_KEY=%q\n' "$ROOT_CA" "$SENSOR/tempsensor.pem" "$SENSOR/tempsensor.key"
      printf 'HUB_PID=%q\nEDGE_PID=%q\nGATEWAY_PID=%q\n' "$(pid_of hub)" "$(pid_of edge)" "$(pid_of gateway)"
      [ -z "$ready" ] || printf 'DEMO_READY=1\n'
    } >"$beside"
  )
  mv -f "$beside" "$ENV_FILE"
}

act_on_running_demo() {
  local verb=$1 role=$2 ready=''
  [ -s "$ENV_FILE" ] || die "the demo does not run" "start it with ./demo in another terminal"
  . "$ENV_FILE"
  DIR=$DEMO_DIR
  ready=${DEMO_READY:-}
  paths_of_demo
  exec 8>"$STATE/act.lock"
  flock 8
  local pid
  pid=$(pid_of "$role")
  if [ "$verb" = stop ]; then
    [ -n "$pid" ] && alive "$pid" || die "the $role does not run"
    stop_role "$role"
    say "The $role has ended."
  else
    if [ -n "$pid" ] && alive "$pid"; then die "the $role already runs (process $pid)"; fi
    "start_$role" 8>&-
    say "The $role serves (process $(pid_of "$role"))."
  fi
  write_env "$ready"
}

# Until Ctrl-C; tells of every process that ends without having been stopped.
stay_up() {
  local role
  say ''
  say "Everything serves. ${bold}build/demo/env${plain} says where; the README says what to try. Ctrl-C ends it."
  while :; do
    for role in hub edge gateway; do
      if has_ended_by_itself "$role"; then
        tell_end "$role"
        say "Start it again with: ./demo start $role"
        rm -f "$DIR/run/$role.pid"
      fi
    done
    # A child of its own, so that a signal is handled at once.
    sleep 0.3 & wait $! || true
  done
}
