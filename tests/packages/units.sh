#!/bin/bash
# What is told to systemd and AppArmor: it parses, names what is there, and leaves the daemons as little as it says.
set -u
command -v systemd-analyze >/dev/null || { echo "SKIP: no systemd-analyze here"; exit 77; }
DEPLOY=$top_srcdir/deploy UNITS=$top_builddir/deploy
dir=$(mktemp -d)
. "$top_srcdir/tests/shell.sh"
trap 'rm -rf "$dir"; echo "$passed passed, $failed failed"' EXIT

# --- units: with programs that are there
for u in attestd verifierd; do
	program=$(find "$top_builddir" -type f -name $u -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
	sed "s,^ExecStart=.*,ExecStart=$(realpath "$program")," "$UNITS/$u.service" >"$dir/$u.service"
done
cp "$DEPLOY"/attestd*.socket "$dir/"
out=$(cd "$dir" && systemd-analyze verify --man=no ./attestd.service ./attestd.socket ./attestd-decisions.socket ./verifierd.service 2>&1 | grep -F "$dir")
is "units are correct" "$out" ""
echo 'Surprise=yes' >>"$dir/verifierd.service"
out=$(cd "$dir" && systemd-analyze verify --man=no ./verifierd.service 2>&1 | grep -c Surprise)
is "what is wrong in a unit would be seen" "$out" 1
sed -i '$d' "$dir/verifierd.service"
for u in attestd verifierd; do
	systemd-analyze security --offline=true --threshold=20 "$dir/$u.service" >"$dir/out" 2>&1
	is "$u.service is exposed by 2.0 at the most: $(tail -n 1 "$dir/out")" $? 0
	is "$u.service names programs as they are installed" \
		"$(grep -c "^ExecStart=/.*/sbin/$u\$" "$UNITS/$u.service")" 1
done

# --- users, groups and folders, in a system of their own
root=$dir/root
mkdir -p "$root/etc" "$root/run" "$root/var/lib"
printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\ntss:x:104:\n' >"$root/etc/group"
for f in "$DEPLOY"/sysusers.d/*.conf; do
	is "${f##*/} has no name that systemd lets pass with a sigh" "$(systemd-sysusers --root="$root" "$(realpath "$f")" 2>&1 | grep -v '^Creating')" ""
done
is "users" "$(grep -oE '^(attest|verifierd):' "$root/etc/passwd" | LC_ALL=C sort | tr -d '\n')" attest:verifierd:
is "groups" "$(grep -oE '^(attest|verifierd|attest-admin|attest-breakglass):' "$root/etc/group" | LC_ALL=C sort | tr -d '\n')" \
	attest-admin:attest-breakglass:attest:verifierd:
is "attest may use the TPM's device" "$(grep '^tss:' "$root/etc/group")" tss:x:104:attest
is "nobody is in the groups of administrators" "$(grep -cE '^attest-(admin|breakglass):[^:]*:[0-9]+:$' "$root/etc/group")" 2
systemd-tmpfiles --root="$root" --create "$(realpath "$DEPLOY/tmpfiles.d/attestd.conf")" >"$dir/out" 2>&1
is "folders: $(cat "$dir/out")" $? 0
for d in /run/attest /var/lib/attest; do
	is "$d" "$(stat -c '%a %u' "$root$d" 2>/dev/null)" "755 $(sed -n 's/^attest:x:\([0-9]*\):.*/\1/p' "$root/etc/passwd")"
done

# --- AppArmor
if command -v apparmor_parser >/dev/null && [ -d /etc/apparmor.d/abstractions ]; then
	cat >"$dir/caller" <<-'P'
		abi <abi/3.0>,
		include <tunables/global>
		profile caller {
		  include <abstractions/pam-attest>
		}
	P
	for f in "$DEPLOY"/apparmor.d/usr.* "$dir/caller"; do
		out=$(apparmor_parser -Q -K -I "$DEPLOY/apparmor.d" -I /etc/apparmor.d "$f" 2>&1)
		is "${f##*/} parses: $out" $? 0
	done
	sed -i 's/pam-attest/nameservice/' "$dir/caller"
	is "whoever looks up names may read the verdict" \
		"$(apparmor_parser -p -I "$DEPLOY/apparmor.d" -I /etc/apparmor.d "$dir/caller" 2>&1 | grep -c '^ */run/attest/verdict r,')" 1
fi
[ $failed = 0 ]
