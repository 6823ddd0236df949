#!/bin/bash
# The group of libnss_attest(8) on a private machine, as those see it who count on it: getent, id, sshd's AllowGroups,
# sudoers, rules of polkit. Everybody is a member while the record is affirming, and nobody otherwise, whatever is the
# matter. Row 45: a gid that is another group's. No lookup opens a socket.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
. "$top_srcdir/tests/shell.sh"
needs dbus-daemon pkcheck strace
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside

GID=$(sed -n 's/^gid = //p' "$SOURCE/recipes/group/etc/attest/gate.conf.d/nss.conf")
lab_open /run/lab
trap lab_end EXIT

# --- who asks, each "in" or "out"

as_word() { [ "$1" = "$2" ] && echo in || echo out; }
by_name() { as_word "$(timeout 5 getent group attested)" "attested:*:$GID:"; }
by_gid() { as_word "$(timeout 5 getent group $GID)" "attested:*:$GID:"; }
initgroups() { timeout 5 getent initgroups "$1" | grep -qw $GID && echo in || echo out; }
login() { as_word "$(as_kim sh -c 'id -G' | tr ' ' '\n' | grep -x $GID)" $GID; }
ssh_in() { as_word "$("${SSH[@]}" "${by_key[@]}" localhost echo in 2>/dev/null </dev/null)" in; }
sudo_in() { as_word "$(as_kim sudo -k -n printf in 2>/dev/null)" in; }
polkit_in() {
	pkcheck --action-id org.freedesktop.policykit.exec --process "$SLEEPER" >/dev/null 2>&1
	case $? in 0) echo in ;; *) echo out ;; esac
}

# state NAME WANTED: everybody's answer.
state() {
	local who
	for who in by_name by_gid "initgroups kim" "initgroups root" "initgroups nobody-there" login ssh_in sudo_in polkit_in; do
		is "$1: $who" "$($who)" "$2"
	done
}

# conf [LINE...]: of [nss].
conf() {
	cat >/etc/attest/gate.conf <<-C
		[default]
		mode = audit
		[nss]
		$(printf '%s\n' "$@")
	C
}

# --- the machine
machine_syslog; is "syslog" $? 0
cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
machine_users && machine_paths; is "users and paths" $? 0
useradd --system --no-create-home attest
# The recipes, with what kim asks for here and a group that kim is in.
recipe group sudoers.d/attested | sed 's|/usr/bin/apt-get update|/usr/bin/printf|' >/etc/sudoers.d/doors
mkdir -p /etc/polkit-1/rules.d
recipe group polkit-1/rules.d/10-attested.rules | sed 's/org.freedesktop.NetworkManager./org.freedesktop.policykit.exec/; s/netdev/kim/' \
	>/etc/polkit-1/rules.d/10-attested.rules
chmod -R a+rX /etc/polkit-1
conf "gid = $GID"
machine_record affirming ok
machine_sshd "$(recipe group ssh/sshd_config.part)"; is "sshd" $? 0
machine_bus; is "polkitd" $? 0
lab_start sleeper setpriv --reuid=kim --regid=kim --init-groups sleep 600
SLEEPER=${PIDS[sleeper]}

state "the module is not there" out
cp "$BUILD/.libs/libnss_attest.so.2" "$LIBRARIES/"
state "nsswitch.conf does not name it" out
sed -i "s/^group:.*/$(recipe group nsswitch.conf.part)/" /etc/nsswitch.conf
# What runs has a look at nsswitch.conf only now and then.
lab_kill polkitd
lab_kill dbus
machine_bus; is "polkitd again" $? 0

# --- the states
state affirming in
is "no member is listed by name" "$(getent group attested)" "attested:*:$GID:"
is "and the list of all groups leaves it out" "$(getent group | grep -c attested)" 0
is "id says it" "$(id -nG kim)" "kim attested"

is "who counts on it" "$("$SOURCE/pam_attest/gate/nss-in-use" | sed 's/:[0-9]*:.*//' | tr '\n' ' ')" \
	"/etc/ssh/sshd_config /etc/sudoers.d/doors /etc/polkit-1/rules.d/10-attested.rules "

machine_record warning kexec
state "warning" out
conf "gid = $GID" "warning = yes"
state "warning, and it counts" in
conf "gid = $GID"
machine_record contraindicated cmdline-changed
state refused out
"${SSH[@]}" "${by_key[@]}" localhost echo in >/dev/null 2>"$LAB/seen" </dev/null
is "what ssh says" "$(sed 's/\r//' "$LAB/seen")" "$(sed -n 's/^sees: //p' "$SOURCE/recipes/group/about")"
machine_record none verifier-unreachable issued_boot=0 expires_boot=0
state "no verdict" out
machine_record affirming ok expires_boot=@-1
state expired out
machine_record affirming ok boot_id="$(cat /proc/sys/kernel/random/uuid)"
state "another boot's" out
machine_record affirming ok asleep=0 issued_wall=@5000
state "the clock was set back" out
rm "$LAB/run/verdict"
state "no record" out

machine_record affirming ok
chown attest: "$LAB/run/verdict"
is "attestd's own record" "$(login)" in
chown kim: "$LAB/run/verdict"
state "a record of kim's" out
chown root: "$LAB/run/verdict"
mv "$LAB/run/verdict" "$LAB/run/elsewhere"
ln -s elsewhere "$LAB/run/verdict"
state "a link" out
rm "$LAB/run/verdict"
mkfifo -m 644 "$LAB/run/verdict"
state "a FIFO" out
rm "$LAB/run/verdict"
{ cat "$LAB/run/elsewhere"; head -c 100000000 /dev/zero; } >"$LAB/run/verdict"
state "100 MB" out

machine_record affirming ok
cp /etc/group "$LAB/group"
echo "docker:x:$GID:lee" >>/etc/group
state "row 45: the gid is docker's" out
is "which is a group as before" "$(getent group $GID)" "docker:x:$GID:lee"
cp "$LAB/group" /etc/group
conf
state "no gid" out
conf "gid = $GID"
echo "attested:x:$GID:" >>/etc/group
is "reserved in /etc/group: a login" "$(login)" in
is "reserved in /etc/group: sudo" "$(sudo_in)" in
machine_record contraindicated cmdline-changed
is "reserved, and refused: a login" "$(login)" out
is "reserved, and refused: sshd" "$(ssh_in)" out
sed -i 's/^group:.*/group: files [SUCCESS=merge] attest/' /etc/nsswitch.conf
machine_record affirming ok
is "reserved, and merged" "$(getent group attested) $(login)" "attested:x:$GID: in"
sed -i 's/^group:.*/group: files attest/' /etc/nsswitch.conf

# --- a record ends by itself; a session keeps the number that it was given, and where /etc/group has its name, the name
cp "$LAB/group" /etc/group
machine_record affirming ok expires_boot=@2000
mkfifo "$LAB/go"
chmod 644 "$LAB/go"
as_kim sh -c "echo; while read -r _ <$LAB/go; do sudo -k -n printf 'in\n' || echo out; done" >"$LAB/kept" 2>/dev/null &
kept=$!
wait_for 5 test -s "$LAB/kept"
is "for two seconds" "$(login)" in
sleep 2
is "and no longer" "$(login) $(ssh_in)" "out out"
for n in 2 3; do
	echo go >"$LAB/go"
	wait_for 5 sh -c '[ "$(wc -l <"$1")" = $2 ]' - "$LAB/kept" $n
	echo "attested:x:$GID:" >>/etc/group
done
kill $kept
is "an old session: sudo looks for the group's name" "$(tr '\n' ' ' <"$LAB/kept")" " out in "
cp "$LAB/group" /etc/group

# --- what it does to the programs that load it
machine_record affirming ok
: >"$LAB/strace"
for question in "group attested" "group $GID" "group no-such-group" "initgroups kim"; do
	# shellcheck disable=SC2086  # words
	strace -f -qq -o "$LAB/one" getent -s attest $question
	# From the last word about the library's own file on, it is the module that calls.
	awk '/libnss_attest/ { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }' "$LAB/one" >>"$LAB/strace"
done >"$LAB/out"
is "strace sees the lookups" "$(grep -c "$GID" "$LAB/out")" 3
is "no lookup opens a socket, starts anything, waits" \
	"$(sed -E 's/^[0-9]+ +([a-z0-9_]+).*/\1/' "$LAB/strace" | sort -u | grep -E 'sock|connect|send|recv|peer|poll|select|clone|fork|exec|kill|sig|futex|sleep|lock|ioctl')" ""
is "files that a lookup opens" "$(sed -nE 's/.*openat?\(.*"([^"]*)".*/\1/p' "$LAB/strace" | sort -u | tr '\n' ' ')" \
	"/etc/attest/gate.conf /etc/attest/gate.conf.d /etc/group /etc/passwd /proc/sys/kernel/random/boot_id /run/attest/verdict "
machine_record contraindicated cmdline-changed
seen=
for limit in as=65536 as=4194304 as=8388608 stack=16384 stack=65536 data=65536 fsize=0 nofile=3 nofile=4 nofile=5 nofile=6; do
	prlimit --$limit id -nG kim 2>/dev/null | grep -q attested && seen+=" $limit"
done
is "refused, under tight limits" "$seen" ""
[ $failed = 0 ]
