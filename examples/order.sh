#!/usr/bin/env bash
# One order over HTTP: a restaurant, a customer, a quote, the order, its acceptance, its state.
#
#   doorstep token --audience admin --subject me --key-file token.key > admin.token
#   examples/order.sh http://127.0.0.1:8080 "$(cat admin.token)" LATITUDE LONGITUDE
#
# The restaurant is opened at LATITUDE,LONGITUDE and the customer lives there too; both must be near a road of the map.
# PAYMENT_METHOD is how it is paid (sandbox_ok), READY_IN_MS how long the food takes (ten minutes). Needs curl and jq. docs/api.md explains tokens, keys and errors.
set -euo pipefail
base=$1 admin=$2 lat=$3 lng=$4

# call TOKEN METHOD PATH [BODY]: prints the answer's body; an error is shown and ends the script.
call() {
  local token=$1 method=$2 path=$3 body=${4-}
  local arguments=(-sS --fail-with-body -X "$method" -H "x-request-id: example")
  if [ -n "$token" ]; then arguments+=(-H "authorization: Bearer $token"); fi
  if [ -n "$body" ]; then arguments+=(-H "content-type: application/json" -d "$body"); fi
  if [ -n "${key-}" ]; then arguments+=(-H "idempotency-key: $key"); fi
  curl "${arguments[@]}" "$base$path" || { echo >&2; exit 1; }
}

restaurant=$(call "$admin" POST /v1/restaurants \
  '{"name":"Example Kitchen","lat":'"$lat"',"lng":'"$lng"',"cuisine":"pizza","menu":[{"name":"Margherita","price_minor":950}]}')
restaurant_id=$(jq -r .restaurant_id <<<"$restaurant")
restaurant_token=$(jq -r .token <<<"$restaurant")
item=$(call "" GET "/v1/restaurants/$restaurant_id" | jq -r '.menu[0].item_id')

customer_token=$(call "" POST /v1/customers '{"name":"Ada"}' | jq -r .token)
quote=$(call "$customer_token" POST /v1/quotes \
  '{"restaurant_id":"'"$restaurant_id"'","items":[{"item_id":"'"$item"'","quantity":2}],"dropoff":{"lat":'"$lat"',"lng":'"$lng"'}}')
echo "quote: $(jq -r '"\(.total_minor) \(.currency) in minor units, \(.eta_min) minutes"' <<<"$quote")"

# The key makes a repeated request harmless: it gets the same answer, and one order.
body='{"quote_id":"'"$(jq -r .quote_id <<<"$quote")"'","payment_method":"'"${PAYMENT_METHOD:-sandbox_ok}"'"}'
key=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
order=$(call "$customer_token" POST /v1/orders "$body" | jq -r .order_id)
again=$(call "$customer_token" POST /v1/orders "$body" | jq -r .order_id)
key=
[ "$order" = "$again" ] || { echo "one key made two orders: $order and $again" >&2; exit 1; }

# wait_for STATE: reads the order until it is in this state, for at most a minute.
wait_for() {
  local state=
  for _ in $(seq 120); do
    state=$(call "$customer_token" GET "/v1/orders/$order" | jq -r .state)
    if [ "$state" = "$1" ]; then echo "order $order: $state"; return; fi
    sleep 0.5
  done
  echo "order $order: still $state, not $1" >&2
  exit 1
}

wait_for placed
call "$restaurant_token" POST "/v1/orders/$order/accept" '{"ready_in_ms":'"${READY_IN_MS:-600000}"'}' >/dev/null
wait_for accepted
