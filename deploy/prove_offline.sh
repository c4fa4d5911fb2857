#!/usr/bin/env bash
# Proof that a bundle needs no network: installs it, indexes the demo wiki and answers a question in a network namespace that has
# neither a route nor an interface that is up.
#
#   deploy/prove_offline.sh dist/saseo-0.1.0-cp311-linux_x86_64 ["question"]
#
# Needs unshare (util-linux), as root or with user namespaces. Prints a table of seconds and sizes; fails at the first step that does.
set -euo pipefail
bundle=$(cd "${1:?usage: prove_offline.sh BUNDLE [QUESTION]}" && pwd)
question=${2:-연차는 며칠이고 어떻게 신청하나요?}
if [ "${NETWORKLESS:-}" != 1 ]; then
  if [ "$(id -u)" = 0 ]; then names=(--net --mount --pid --fork --mount-proc); else names=(--net --user --map-root-user); fi
  # Nothing of this shell goes along: no proxy, no pip settings, no cache of packages or models.
  exec unshare "${names[@]}" -- env -i NETWORKLESS=1 PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$0" "$bundle" "$question"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME="$scratch/home" TMPDIR="$scratch/tmp"
mkdir -p "$HOME" "$TMPDIR" "$scratch/site"

echo "## The network in here"
if [ "$(wc -l < /proc/net/route)" -gt 1 ]; then echo "there is a route: no proof" >&2; exit 1; fi
others=$(awk -F: 'NR > 2 { gsub(/ /, "", $1); if ($1 != "lo") print $1 }' /proc/net/dev)
[ -z "$others" ] || { echo "there is an interface: $others" >&2; exit 1; }
echo "routes: none; interfaces: lo, $(cat /sys/class/net/lo/operstate 2>/dev/null || echo down)"

rows=
step() { # step NAME COMMAND…
  local began=$EPOCHREALTIME
  echo "## $1"
  "${@:2}"
  rows+=$(printf '\n| %s | %s s |' "$1" "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
}
prefix=$scratch/opt
saseo=$prefix/bin/saseo
# Doctor has llama.cpp write a word; a busy machine may answer the question below with quotes.
writes() { ("$saseo" doctor || true) | tee "$scratch/doctor.txt"; grep -q '정상.*답변 쓰기' "$scratch/doctor.txt"; }
answer() { "$saseo" ask "$question" | tee "$scratch/answer.txt"; }

step "install.sh (checksums, environment, models)" sh "$bundle/install.sh" --prefix "$prefix"
cd "$scratch/site"
writer=$(sed -n '/"models"/,$ { s/^   "name": "\(.*\)",$/\1/p; s/^   "role": "\(.*\)",$/ \1/p }' "$bundle/BUNDLE.json" |
  awk '/^ writer$/ { print last } { last = $0 }' | head -n 1)
step "saseo init" "$saseo" init "$prefix"/current/lib/python*/site-packages/saseo/_rooms/examples/wiki --yes --model "$writer"
step "saseo models list" bash -c "'$saseo' models list | grep '●'"
step "saseo index" "$saseo" index
step "saseo doctor" writes
step "saseo ask" answer
grep -q '\[1\]' "$scratch/answer.txt" || { echo "no source was cited" >&2; exit 1; }
step "install.sh once more (an update keeps the data)" sh "$bundle/install.sh" --prefix "$prefix"
[ -n "$(find var -name manifest.json -print -quit)" ] || { echo "the index is gone" >&2; exit 1; }

echo "## Figures"
printf '| step | time |\n| --- | --- |%s\n' "$rows"
printf '| what | on disk |\n| --- | --- |\n| bundle: wheels | %s |\n| bundle: models | %s |\n| installed | %s |\n' \
  "$(du -sh "$bundle/wheels" | cut -f1)" "$(du -shL "$bundle/models" 2>/dev/null | cut -f1)" "$(du -sh "$prefix/releases" | cut -f1)"
