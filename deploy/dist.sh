#!/usr/bin/env bash
# Packs what an operator installs: the binary, completions, manual pages, systemd units, an example of the settings, documents,
# licence and checksums. `make dist` builds in release and calls it.
#
#   deploy/dist.sh BINARY FOLDER      writes FOLDER/doorstep-VERSION-TARGET.tar.gz and FOLDER/SHA256SUMS
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")/.."

version=$("$binary" --version | cut -d' ' -f2)
target=$(rustc -vV | sed -n 's/^host: //p')
name="doorstep-$version-$target"
# The same tree gives the same archive.
stamp=$(git log -1 --format=%ct 2>/dev/null || echo 0)

rm -rf "$out/$name" "$out/bin"
mkdir -p "$out/$name"/{bin,share/bash-completion/completions,share/zsh/site-functions,share/fish/vendor_completions.d} \
  "$out/$name"/{share/man/man1,lib/systemd/system,share/doc/doorstep,etc/doorstep} "$out/bin"
install -m 755 "$binary" "$out/$name/bin/doorstep"
install -m 755 "$binary" "$out/bin/doorstep"
"$binary" completions bash >"$out/$name/share/bash-completion/completions/doorstep"
"$binary" completions zsh >"$out/$name/share/zsh/site-functions/_doorstep"
"$binary" completions fish >"$out/$name/share/fish/vendor_completions.d/doorstep.fish"
"$binary" man "$out/$name/share/man/man1"
install -m 644 deploy/systemd/*.service "$out/$name/lib/systemd/system/"
install -m 644 docs/doorstep.toml "$out/$name/etc/doorstep/doorstep.toml.example"
install -m 644 LICENSE README.md CHANGELOG.md SECURITY.md docs/*.md "$out/$name/share/doc/doorstep/"
cp -r deploy/grafana "$out/$name/share/doc/doorstep/grafana"

(cd "$out/$name" && find . -type f ! -name SHA256SUMS | sort | sed 's|^\./||' | xargs sha256sum >SHA256SUMS)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -C "$out" -czf "$out/$name.tar.gz" "$name"
rm -rf "${out:?}/$name"
(cd "$out" && sha256sum "$name.tar.gz" >SHA256SUMS)
echo "$out/$name.tar.gz"
