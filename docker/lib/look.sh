# shellcheck shell=sh
# Runs inside a container on the network `monitoring` (sh and curl, no more): asks every sidecar until all are ready or the time is
# up, then prints what they say. Arguments: seconds to wait, seconds between two measurements, sidecars; or `why`, anything and one
# address, for the diagnostics of the sidecar there.
patience=$1 between=$2
shift 2
if [ "$patience" = why ]; then
  curl -s -m 3 "http://$1:9797/diagnostics"
  exit 0
fi
folder=$(mktemp -d)
ask() { curl -s -m 3 -o "$folder/$1$3" -w '%{http_code}' "http://$1:9797$2" || true; }

began=$(date +%s)
while :; do
  waiting=0
  for sidecar in "$@"; do
    [ "$(ask "$sidecar" /ready .ready)" = 200 ] || waiting=1
  done
  [ "$waiting" = 1 ] && [ $(($(date +%s) - began)) -lt "$patience" ] || break
  sleep 1
done
for sidecar in "$@"; do ask "$sidecar" /metrics .before >/dev/null; done
sleep "$between"
for sidecar in "$@"; do
  echo "SIDECAR $sidecar $(ask "$sidecar" /ready .ready)"
  ask "$sidecar" /metrics .after >/dev/null
  ask "$sidecar" /health .health >/dev/null
  for when in before after; do
    sed -n "s/^process_cpu_seconds_total /CPU $when /p; s/^process_resident_memory_bytes /MEMORY $when /p" "$folder/$sidecar.$when" 2>/dev/null
  done
  cat "$folder/$sidecar.health" 2>/dev/null
  echo
done
rm -rf "$folder"
