#!/bin/sh
# The catalog is one that journalctl takes, with a text for each id of the table.
set -u
command -v journalctl >/dev/null || { echo "SKIP: no journalctl here"; exit 77; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
cp "$top_builddir/deploy/pam-attest.catalog" "$root/usr/lib/systemd/catalog/" || exit 1
journalctl --root="$root" --update-catalog || { echo "journalctl does not take it"; exit 1; }
ids=$(sed -nE 's/^X\([A-Z_]+, "([0-9a-f]{32})".*/\1/p' "$top_srcdir/common/base/message_id.h")
count=0
for id in $ids; do
	journalctl --root="$root" --dump-catalog "$id" | grep -q '^Subject: .' || { echo "$id: no text"; exit 1; }
	count=$((count + 1))
done
echo "$count texts"
[ $count -gt 5 ]
