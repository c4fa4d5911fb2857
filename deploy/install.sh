#!/bin/sh
# Installs or updates Saseo from the bundle that this file lies in, without any network.
#
#   sh install.sh [--prefix DIR] [--models DIR] [--python PYTHON]
#   sh install.sh --back [--prefix DIR]      the release that was current before this one
#
#   DIR/releases/VERSION-…/        one environment per release; the last two are kept
#   DIR/current                    the one in use: a link that is switched when everything is installed and checked
#   DIR/bin/saseo                  what to call
#   DIR/models/                    or wherever --models says; shared by all releases
#
# Default prefix: /opt/saseo for root, ~/saseo otherwise. Settings and data lie elsewhere and are not touched.
set -eu
umask 022
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=
models=
python=
back=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix DIR}; shift 2 ;;
    --models) models=${2:?--models DIR}; shift 2 ;;
    --python) python=${2:?--python PYTHON}; shift 2 ;;
    --back) back=1; shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/opt/saseo; else prefix=$HOME/saseo; fi
fi
mkdir -p "$prefix"
prefix=$(CDPATH='' cd -- "$prefix" && pwd)
models=${models:-$prefix/models}

fail() { printf 'install.sh: %s\n' "$1" >&2; exit 1; }
# One rename: at no time is there no current release.
switch() { ln -sfn "releases/$1" "$prefix/.current.new" && mv -T "$prefix/.current.new" "$prefix/current"; }

if [ -n "$back" ]; then
  now=$(basename "$(readlink "$prefix/current")" 2>/dev/null) || fail "nothing is installed in $prefix"
  [ -s "$prefix/releases/$now/.previous" ] || fail "no release before $now is kept"
  before=$(cat "$prefix/releases/$now/.previous")
  [ -f "$prefix/releases/$before/.complete" ] || fail "$before is not kept any more"
  switch "$before"
  printf '%s → %s. Restart the service.\n' "$now" "$before"
  exit 0
fi

value() { sed -n "s/^ \"$1\": \"\(.*\)\",\$/\1/p" "$here/BUNDLE.json"; }

echo "[1/5] checksums"
cd "$here"
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing: this is not a whole bundle"
# What is not listed is not trusted, links neither: pip would take any wheel that lies beside the others.
stray=$(find . ! -type d ! -path ./SHA256SUMS | sed 's,^\./,,' | LC_ALL=C sort |
  while IFS= read -r file; do
    cut -c67- SHA256SUMS | grep -Fqx -- "$file" || printf '%s\n' "$file"
  done)
[ -z "$stray" ] || fail "not listed in SHA256SUMS: $stray"
sha256sum --check --quiet --strict SHA256SUMS || fail "the bundle is damaged: copy it again"
printf '      %s files; SHA-256 of SHA256SUMS: %s\n' "$(wc -l < SHA256SUMS)" "$(sha256sum < SHA256SUMS | cut -c1-64)"

version=$(value version)
wanted=$(value python)
release=$version-$(sha256sum < SHA256SUMS | cut -c1-8)
echo "[2/5] Python $wanted"
if [ -z "$python" ]; then
  for one in "python$wanted" python3 python; do
    command -v "$one" > /dev/null 2>&1 || continue
    [ "$("$one" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = "$wanted" ] || continue
    python=$one
    break
  done
  [ -n "$python" ] || fail "Python $wanted with venv is needed (Debian: apt install python$wanted python$wanted-venv)"
fi
[ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = "$wanted" ] ||
  fail "$python is not Python $wanted, for which this bundle was made"
[ "$("$python" -c 'import platform; print(platform.machine())')" = "$(value machine)" ] ||
  fail "this bundle is for $(value machine)"

echo "[3/5] $prefix/releases/$release"
home=$prefix/releases/$release
before=$(basename "$(readlink "$prefix/current" 2>/dev/null)" 2>/dev/null || true)
if [ -f "$home/.complete" ]; then
  echo "      is there already"
else
  rm -rf "$home"
  mkdir -p "$prefix/releases"
  "$python" -m venv "$home" || fail "the environment cannot be made (Debian: apt install python$wanted-venv)"
  # No index, no settings of pip, no variable of the environment: only what lies here.
  PIP_CONFIG_FILE=/dev/null "$home/bin/python" -m pip --isolated --disable-pip-version-check install \
    --no-index --no-cache-dir --find-links wheels -c constraints.txt "$(value name)==$version" > "$home/install.log" 2>&1 ||
    { tail -n 20 "$home/install.log" >&2; fail "pip could not install (all of it: $home/install.log)"; }
  : > "$home/.complete"
fi
if [ "$before" != "$release" ]; then printf '%s\n' "$before" > "$home/.previous"; fi

echo "[4/5] models → $models"
if [ -d models ]; then
  mkdir -p "$models"
  for one in models/*; do
    [ -e "$one" ] || continue
    name=$(basename "$one")
    if diff -rq "$one" "$models/$name" > /dev/null 2>&1; then
      echo "      $name is there already"
      continue
    fi
    echo "      $name ($(du -shL "$one" | cut -f1))"
    rm -rf "$models/.$name.new"
    cp -R "$one" "$models/.$name.new"
    rm -rf "${models:?}/$name"
    mv "$models/.$name.new" "$models/$name"
  done
fi

echo "[5/5] check"
mkdir -p "$prefix/bin"
# shellcheck disable=SC2016 # the shell that runs it expands it
printf '#!/bin/sh\n# Written by install.sh.\n: "${SASEO_MODELS_DIR:=%s}"\nexport SASEO_MODELS_DIR\nexec "%s/current/bin/saseo" "$@"\n' \
  "$models" "$prefix" > "$prefix/bin/.saseo.new"
chmod 755 "$prefix/bin/.saseo.new"
mv "$prefix/bin/.saseo.new" "$prefix/bin/saseo"
"$home/bin/python" -m pip --disable-pip-version-check check > /dev/null || fail "packages do not fit together"
"$home/bin/saseo" --version
names=$(sed -n 's/^   "name": "\(.*\)",$/\1/p' BUNDLE.json)
if [ -n "$names" ]; then
  # Hashes each model once and notes that it did; nothing is fetched, for all of them are there.
  # shellcheck disable=SC2086 # several names
  (cd "$prefix" && env -u SASEO_CONFIG SASEO_MODELS_DIR="$models" "$home/bin/saseo" models pull $names)
fi
switch "$release"
# The release before this one stays for --back; older ones leave.
for one in "$prefix"/releases/*; do
  case $(basename "$one") in
    "$release" | "$(cat "$home/.previous" 2>/dev/null || true)") ;;
    *) rm -rf "$one" ;;
  esac
done
if [ -z "$before" ]; then
  echo "$prefix/bin/saseo is $release. Next: $prefix/bin/saseo init"
elif [ "$before" = "$release" ]; then
  echo "$prefix/bin/saseo was $release already."
else
  echo "$prefix/bin/saseo is $release, after $before. Restart the service; back again: sh install.sh --back --prefix $prefix"
fi
