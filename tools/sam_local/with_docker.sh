#!/usr/bin/env bash
# with_docker.sh COMMAND...: run COMMAND beside a Docker engine of its own, and leave nothing of it behind.
#
# The engine lives in network, process and mount namespaces that end with COMMAND: bridge, firewall rules, containers and mounts
# vanish with them, another engine on this machine is not touched, and nothing inside reaches any address outside. Needs root,
# docker.io, iproute2, curl and util-linux (unshare). DOCKERD_OPTIONS is added to the engine's command line.
set -euo pipefail
state=$(mktemp -d "${TMPDIR:-/var/tmp}/ecr-steward-docker.XXXXXX")
engine=

finish() {
  [ -z "$engine" ] || kill -KILL "$engine" 2>/dev/null || true # unshare --kill-child takes all below it along
  wait
  rm -rf "$state"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cat > "$state/inside.sh" <<'E2'
set -euo pipefail
state=$1
shift
ip link set lo up
mount -t tmpfs tmpfs /run # another engine keeps its sockets and process ids there
export DOCKER_HOST=unix:///run/docker.sock
dockerd --data-root "$state/data" --exec-root /run/docker-exec --pidfile /run/docker.pid -H "$DOCKER_HOST" \
  ${DOCKERD_OPTIONS:-} > "$state/log" 2>&1 &
dockerd=$!
for _ in $(seq 300); do
  if curl --silent --fail --output /dev/null --unix-socket /run/docker.sock http://docker/_ping; then
    code=0
    "$@" || code=$?
    kill -TERM "$dockerd"
    wait "$dockerd" || true
    exit "$code"
  fi
  kill -0 "$dockerd" 2>/dev/null || break
  sleep 0.1
done
echo "The Docker engine did not start; its last words:" >&2
tail -5 "$state/log" >&2
exit 3
E2

unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private bash "$state/inside.sh" "$state" "$@" <&0 &
engine=$!
code=0
wait "$engine" || code=$?
engine=
exit "$code"
