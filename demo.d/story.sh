# The scenario, scene by scene. Sourced by ./demo. Every scene can be played again on what an earlier run left.

DEVICE_ID_FILE=deviceid-bd732105ef89cf8edd2606a5309c8a26b7b5599a4e124a0fe6199b6b2f60e655
HOSTNAME_OF_EDGE=edgegateway.local

play() {
  scene_pki
  scene_hub
  scene_registry
  scene_edge
  scene_gateway
  scene_telemetry
  scene_offline
  scene_refusals
  scene_verify
  write_env ready
  say ''
  good "The scenario has been played."
}

sallyport() { run "$SALLYPORT" "$@"; }

# issue PROFILE SUBJECT OUT KEY [OPTION...]: once; a later run of the demo finds it.
issue() {
  local profile=$1 subject=$2 out=$3 key=$4
  shift 4
  [ -s "$out" ] && [ -s "$key" ] && openssl x509 -in "$out" -noout -checkend 86400 >/dev/null && return 0
  mkdir -p -m 700 "$(dirname "$out")" "$(dirname "$key")"
  sallyport ca issue --data "$CA" --profile "$profile" --subject "$subject" "$@" --key-out "$key" --out "$out" --force
}

thumbprint() { openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//'; }

scene_pki() {
  scene "1. A PKI: a root, an intermediate, and what they vouch for"
  [ -d "$CA/certs" ] || sallyport ca init --data "$CA"
  install -m 644 "$CA/certs/my_private_root_CA.pem" "$ROOT_CA"
  issue server "$HUB_NAME" "$HUB/hub.pem" "$HUB/hub.key" \
    --san "DNS:$HUB_NAME" --san DNS:contosoiothub.local --san "IP:$HUB_ADDRESS"
  issue edge-ca "iotedged workload ca edgegateway" "$EDGE_ROOT/var/secrets/edge-ca.pem" "$EDGE_ROOT/var/secrets/edge-ca.key"
  mkdir -p -m 700 "$EDGE_ROOT/var/lib/aziot/certd/certs" "$EDGE_ROOT/var/lib/aziot/keyd/keys"
  issue device EdgeGateway "$EDGE_ROOT/var/lib/aziot/certd/certs/$DEVICE_ID_FILE.cer" \
    "$EDGE_ROOT/var/lib/aziot/keyd/keys/$DEVICE_ID_FILE.key"
  issue device EdgeGateway "$OPERATOR/edgegateway-next.pem" "$OPERATOR/edgegateway-next.key"
  issue device TempSensor "$SENSOR/tempsensor.pem" "$SENSOR/tempsensor.key"
  run "$SALLYPORT" thumbprint "$SENSOR/tempsensor.pem"
}

scene_hub() {
  scene "2. A hub named $HUB_NAME"
  [ -s "$HUB/hub.toml" ] || sallyport hub init --data "$HUB" --name "$HUB_NAME" --name contosoiothub.local --name "$HUB_ADDRESS"
  start_hub
  say "It serves MQTT over TLS at $HUB_ADDRESS:$HUB_MQTT_PORT and HTTPS at $HUB_ADDRESS:$HUB_HTTPS_PORT."
  IOTHUB_CONNECTION_STRING=$("$SALLYPORT" hub connection-string show --data "$HUB" --host "$HUB_ADDRESS:$HUB_HTTPS_PORT")
  IOTHUB_CA_FILE=$ROOT_CA
  export IOTHUB_CONNECTION_STRING IOTHUB_CA_FILE
}

scene_registry() {
  scene "3. Who may connect: an edge device by thumbprint, and its child"
  local edge_cert=$EDGE_ROOT/var/lib/aziot/certd/certs/$DEVICE_ID_FILE.cer
  # Registered anew each time: the story begins with a new registry entry.
  local device
  for device in TempSensor EdgeGateway; do
    "$SALLYPORT" hub device delete --device-id "$device" >/dev/null 2>&1 || true
  done
  sallyport hub device create --device-id EdgeGateway --edge-enabled --auth-method x509_thumbprint \
    --primary-thumbprint "$(thumbprint "$edge_cert")" --secondary-thumbprint "$(thumbprint "$OPERATOR/edgegateway-next.pem")"
  sallyport hub device create --device-id TempSensor --auth-method x509_thumbprint --parent EdgeGateway \
    --primary-thumbprint "$(thumbprint "$SENSOR/tempsensor.pem")"
  if ! "$SALLYPORT" hub certificate list --output json | grep -q my_private_root_CA; then
    sallyport hub certificate create --name my_private_root_CA --path "$ROOT_CA" --verified true
  fi
}

scene_edge() {
  scene "4. An edge device named EdgeGateway"
  mkdir -p -m 700 "$EDGE_ROOT/etc/aziot"
  (
    umask 077
    cat >"$EDGE_ROOT/etc/aziot/config.toml" <<TOML
hostname = "$HOSTNAME_OF_EDGE"
trust_bundle_cert = "file://$ROOT_CA"

[provisioning]
source = "manual"
iothub_hostname = "$HUB_NAME"
iothub_address = "$HUB_ADDRESS"
iothub_mqtt_port = $HUB_MQTT_PORT
iothub_https_port = $HUB_HTTPS_PORT
trusted_certs = ["file://$ROOT_CA"]
device_id = "EdgeGateway"

[provisioning.authentication]
method = "x509"
identity_cert = "file://$EDGE_ROOT/var/lib/aziot/certd/certs/$DEVICE_ID_FILE.cer"
identity_pk = "file://$EDGE_ROOT/var/lib/aziot/keyd/keys/$DEVICE_ID_FILE.key"

[edge_ca]
cert = "file://$EDGE_ROOT/var/secrets/edge-ca.pem"
pk = "file://$EDGE_ROOT/var/secrets/edge-ca.key"
TOML
  )
  run cat "$EDGE_ROOT/etc/aziot/config.toml"
  start_edge
  say "Keys, certificates, identity and workload serve on the Unix sockets under \$DEMO_DIR/edge."
  say "What the edge device asked before it trusted the hub:"
  verdict_of edge server.accepted "name=$HUB_NAME"
  say "What the hub asked before it trusted the edge device:"
  verdict_of hub caller.accepted "device=EdgeGateway"
}

scene_gateway() {
  scene "5. A gateway: the module \$edgeHub of EdgeGateway"
  start_gateway
  say "What the gateway asked before it trusted the hub:"
  verdict_of gateway server.accepted "name=$HUB_NAME"
  say "It serves MQTT over TLS at $GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT as $HOSTNAME_OF_EDGE."
}

sensor() {
  run "$TEMPSENSOR" --gateway "$GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT" --name "$HOSTNAME_OF_EDGE" --hub "$HUB_NAME" \
    --device TempSensor --cert "$SENSOR/tempsensor.pem" --key "$SENSOR/tempsensor.key" --trust "$ROOT_CA" "$@" 2>&1 | paint
}

# Follows the hub's messages into a file from now on. The monitor tells when it has begun.
start_monitor() {
  : >"$DIR/run/monitor.out"
  : >"$DIR/run/monitor.err"
  "$SALLYPORT" hub monitor --output json --properties all --count "$1" --timeout "$2" \
    >"$DIR/run/monitor.out" 2>"$DIR/run/monitor.err" 9>&- &
  MONITOR=$!
  wait_until 20 "the monitor's start" grep -q monitoring "$DIR/run/monitor.err"
}

scene_telemetry() {
  scene "6. TempSensor connects to the gateway; the hub hears it"
  start_monitor 3 60
  sensor --count 3 --explain
  say "What the gateway asked before it trusted TempSensor:"
  verdict_of gateway session.started "device=TempSensor"
  wait "$MONITOR" || die "the three readings did not arrive at the hub"
  say "What arrived at the hub (sallyport hub monitor --output json --properties all):"
  cat "$DIR/run/monitor.out"
  say "How the gateway got in, on behalf of TempSensor:"
  verdict_of hub session.started "device=TempSensor"
}

scene_offline() {
  scene "7. The hub goes away; the gateway goes on"
  local before
  before=$(readings_at_hub)
  stop_role hub
  say "The hub has been stopped. TempSensor connects all the same:"
  sensor --count 3
  say "and after a restart of the gateway, which finds its scope on its own disk, sealed by the keys service:"
  stop_role gateway
  start_gateway
  sensor --count 2
  verdict_of gateway session.started "device=TempSensor"
  say "A device that the gateway does not know is refused:"
  issue device Stranger "$OPERATOR/stranger.pem" "$OPERATOR/stranger.key"
  expect_refusal "$TEMPSENSOR" --gateway "$GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT" --name "$HOSTNAME_OF_EDGE" --hub "$HUB_NAME" \
    --device Stranger --cert "$OPERATOR/stranger.pem" --key "$OPERATOR/stranger.key" --trust "$ROOT_CA" --count 1
  verdict_of gateway session.refused "device=Stranger"
  say "The hub returns; what was kept arrives, in order:"
  start_hub
  "$SALLYPORT" hub monitor --from-beginning --output json --count $((before + 5)) --timeout 60 --device-id TempSensor \
    >"$DIR/run/monitor.out" 2>/dev/null 9>&- || die "the readings that the gateway kept did not arrive within 60 seconds"
  tail -n 5 "$DIR/run/monitor.out"
  local order
  order=$(tail -n 5 "$DIR/run/monitor.out" | sed -n 's/.*"sequence": *\([0-9]*\).*/\1/p' | tr '\n' ' ')
  [ "$order" = "1 2 3 1 2 " ] || die "the readings arrived in the order $order"
}

# How many readings of TempSensor the hub's log holds.
readings_at_hub() {
  "$SALLYPORT" hub monitor --from-beginning --output json --timeout 1 --device-id TempSensor 2>/dev/null | wc -l
}

expect_refusal() {
  local status=0
  run "$@" 2>&1 | paint || status=${PIPESTATUS[0]}
  [ "$status" -eq 1 ] || die "a refusal was expected, the exit code was $status"
}

scene_refusals() {
  scene "8. The wrong name, and the missing root"
  say "A client that dialled another name than the certificate's refuses:"
  expect_refusal "$TEMPSENSOR" --gateway "$GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT" --name gateway.example --hub "$HUB_NAME" \
    --device TempSensor --cert "$SENSOR/tempsensor.pem" --key "$SENSOR/tempsensor.key" --trust "$ROOT_CA" --count 1 --explain
  say "A client without the root in its trust bundle refuses:"
  if [ ! -d "$OPERATOR/other-ca" ]; then
    "$SALLYPORT" ca init --data "$OPERATOR/other-ca" --root another_root_CA >/dev/null
  fi
  expect_refusal "$TEMPSENSOR" --gateway "$GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT" --name "$HOSTNAME_OF_EDGE" --hub "$HUB_NAME" \
    --device TempSensor --cert "$SENSOR/tempsensor.pem" --key "$SENSOR/tempsensor.key" \
    --trust "$OPERATOR/other-ca/certs/another_root_CA.pem" --count 1 --explain
}

scene_verify() {
  scene "9. The same decision at the command line"
  # The chain as the gateway presents it, leaf first.
  openssl s_client -connect "$GATEWAY_ADDRESS:$GATEWAY_MQTT_PORT" -servername "$HOSTNAME_OF_EDGE" -showcerts </dev/null 2>/dev/null |
    sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' >"$OPERATOR/gateway-chain.pem"
  run "$SALLYPORT" verify --trust "$ROOT_CA" --chain "$OPERATOR/gateway-chain.pem" --purpose server --host "$HOSTNAME_OF_EDGE" | paint
}
