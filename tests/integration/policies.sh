#!/bin/bash
# Policies: the vectors beside them, and one that is set at a running verifier refuses a host, with its reason, in words.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup tpm2_pcrextend jq
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm POLICIES=$SOURCE/tests/data/policies

like() {  # <what> <got> <pattern>
	# shellcheck disable=SC2254  # a pattern is meant
	case $2 in
	$3) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); printf 'NOT OK: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3" ;;
	esac
}

lab_open "$(mktemp -d)"
trap lab_end EXIT

# --- vectors, without a daemon
for p in "$POLICIES"/*.json; do
	case $p in *.vectors.json) continue ;; esac
	out=$("$VERIFIERCTL" policies test "$p"); is "${p##*/}: $out" $? 0
done
cp -r "$POLICIES" "$VM" "$LAB/"
sed 's/"affirming"/"contraindicated"/' "$POLICIES/strict.vectors.json" >"$LAB/policies/strict.vectors.json"
out=$("$VERIFIERCTL" --json policies test "$LAB/policies/strict.json"); is "a vector that comes out otherwise" $? 1
is "which one" "$(jq -r '[.vectors[] | select(.ok | not) | .name] | join(",")' <<<"$out")" "the boot that was captured"
echo '{"schema":1,"vectors":[]}' >"$LAB/policies/strict.vectors.json"
"$VERIFIERCTL" policies test "$LAB/policies/strict.json" 2>/dev/null; is "no vectors prove nothing" $? 1
sed 's/"8": "rules"/"8": "rule"/' "$POLICIES/strict.json" >"$LAB/wrong.json"
like "an error names line and member" "$("$VERIFIERCTL" policies test "$LAB/wrong.json" 2>&1)" \
	"*wrong.json: line 5: pcrs: 8: 'rule' is not one of its words"

# --- a running verifier
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf "grace = 14s"
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
ctl() { verifierctl "$@"; }
ctl approve host-a --yes >/dev/null; is "approved" $? 0
attest() { attestctl attest --json; }
state() { attest | jq -r '.state + " " + .reason'; }
host='host-a'
wait_for 20 sh -c 'grep -q reason=no-reference "$1/run/verdict"' - "$LAB"; is "no reference yet" $? 0
ctl references capture "$host" --name base --reason test >/dev/null
ctl references activate base --yes --reason test >/dev/null
is "a known boot" "$(state)" "affirming ok"
is "its policy" "$(attest | jq -r .policy)" default/1

ctl policies show default >"$LAB/default.json"; is "a policy is shown as a file" $? 0
ctl policies set "$LAB/default.json" --yes --reason same | grep -q 'says the same'; is "and read back as the same" $? 0
jq '.cmdline.forbid += ["ima_policy=*"]' "$LAB/default.json" >"$LAB/stricter.json"
is "what-if" "$(ctl policies what-if "$LAB/stricter.json" --json | jq -c '[.changes[0].becomes, .changes[0].reason, .turned, .held]')" \
	'["contraindicated","cmdline-forbidden",1,false]'
is "changes nothing" "$(state)" "affirming ok"
ctl policies set "$LAB/stricter.json" --yes 2>/dev/null; is "a reason is wanted" $? 2
ctl policies set "$LAB/stricter.json" --yes --reason test >/dev/null; is "set" $? 0
answer=$(attest)
is "refused" "$(jq -r '.state + " " + .reason + " " + .policy' <<<"$answer")" "contraindicated cmdline-forbidden default/2"
words=$(ctl explain "$(jq -r .ref <<<"$answer")")
like "in words" "$words" "*ima_policy=tcb, which the policy forbids (ima_policy=\**"
ctl accept "$(jq -r .ref <<<"$answer")" --yes --reason test >/dev/null 2>&1; is "no reference makes it good" $? 1

# --- groups and the panic button
ctl groups create lab --yes >/dev/null; is "a group" $? 0
ctl ceiling audit --all --for 1h --reason test >/dev/null; is "a ceiling" $? 0
attest >/dev/null
is "reaches the host" "$(sed -n 's/^ceiling=//p' "$LAB/run/verdict")" audit
is "and is shown" "$(ctl groups --json | jq -r '[.groups[].ceiling] | join(",")')" audit,audit
ctl ceiling enforce --all --reason test >/dev/null
attest >/dev/null
is "ended" "$(sed -n 's/^ceiling=//p' "$LAB/run/verdict")" enforce
ctl move "$host" lab --yes --reason test >/dev/null; is "moved" $? 0
is "into a group without references" "$(state)" "contraindicated cmdline-forbidden"
ctl audit list --json | jq -e '.intact and ([.entries[].action] | contains(["policy", "ceiling", "move", "group"]))' >/dev/null
is "all of it is in the trail" $? 0

# --- a quorum: root, and the user that the daemon runs as
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$VERIFIERCTL"; then
	lab_kill verifierd
	chmod 711 "$LAB"
	chown -R 65534:65534 "$LAB/verifier" "$LAB/vrun"
	sed -i "s/^user =/user = nobody/" "$LAB/verifierd.conf"
	other() { setpriv --reuid=65534 --regid=65534 --clear-groups "$VERIFIERCTL" --socket "$LAB/vrun/admin.sock" "$@"; }
	lab_verifier_up; is "verifierd as a user of its own" $? 0
	jq '.quorum = 2' "$LAB/stricter.json" >"$LAB/two.json"
	ctl policies set "$LAB/two.json" --yes --reason test >/dev/null; is "a quorum" $? 0
	said=$(ctl policies set "$LAB/default.json" --yes --reason test 2>&1); is "is not dropped by one" $? 8
	like "who is told" "$said" "1 of 2 approvals, *another administrator runs the same command*"
	ctl policies set "$LAB/default.json" --yes --reason test 2>/dev/null; is "nor by the same one again" $? 8
	is "another one sees what waits" "$(other approvals --json | jq -r '.changes[] | "\(.approvals) of \(.needed), \(.who): \(.change)"' | sed 's/content.*/content/')" \
		"1 of 2, uid 0: policy default, content"
	other policies set "$LAB/default.json" --yes --reason test >/dev/null; is "but by two" $? 0
	is "and nothing waits" "$(ctl approvals)" "nothing waits"
	is "both are in the trail" "$(ctl audit list --json | jq -r '[.entries[-4:][] | .who + " " + .action] | join(",")')" \
		"uid 0 approval,uid 0 approval,uid 65534 approval,uid 65534 policy"
else
	echo "a quorum of two users: not tried here"
fi
[ $failed = 0 ]
