#!/usr/bin/env bash
# `make demo` on a fresh clone with empty caches, then once more: seconds, bytes received, disk used.
#
#   benchmarks/fresh_machine.sh
#
# Clones this repository's last commit into a temporary folder. Bytes are what all network interfaces but loopback received, so
# nothing else should use the network; packages that pip takes from this machine's own disk are not among them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
received() { awk 'NR > 2 { sub(/^ +/, ""); split($0, f, /[: ]+/); if (f[1] != "lo") sum += f[2] } END { printf "%.0f", sum }' /proc/net/dev; }

git clone --quiet "$root" "$scratch/saseo"
cd "$scratch/saseo"
export SASEO_MODELS_DIR="$scratch/models" PIP_NO_CACHE_DIR=1
for run in first second; do
  before=$(received)
  began=$(date +%s.%N)
  make demo < /dev/null > "$scratch/$run.log" 2>&1 || { tail -n 40 "$scratch/$run.log" >&2; exit 1; }
  awk -v run="$run" -v a="$began" -v b="$(date +%s.%N)" -v n="$(($(received) - before))" \
    'BEGIN { printf "| %s run | %.0f s | %.0f MB received |\n", run, b - a, n / 1e6 }'
done
printf '| on disk | environment %s | models %s |\n' \
  "$(du -sh .venv | cut -f1)" "$(du -sh "$SASEO_MODELS_DIR" | cut -f1)"
sed -n '/^> /,$p' "$scratch/first.log"
