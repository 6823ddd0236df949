#!/bin/bash
# A parse worker that lies, hangs, dies or sends garbage (row 33), under the real main, core, judge and net: its own
# request gets no permit, nothing of it is kept, and it is replaced without anybody's help.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq pgrep
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm

reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }
newest() { verifierctl hosts --json | jq -r '.hosts[0] | "\(.state) \(.reason) \(.ref)"'; }
# In force for every parser that starts from now on; verifierd started anew has no log in its memory.
parser() { echo "$1" >"$LAB/libexec/manner"; }
restart() { lab_kill verifierd; lab_verifier_up; }

lab_open "$(mktemp -d)"
trap lab_end EXIT

mkdir "$LAB/libexec"
for role in setup core net judge; do  # not links: verifierd runs nothing outside of the folder of its core
	cp "$(lab_program verifierd-$role)" "$LAB/libexec/verifierd-$role"
done
cp "$(lab_program lying_parse)" "$LAB/libexec/verifierd-parse"
cp "$(lab_program verifierd-parse)" "$LAB/libexec/honest-parse"
parser honest

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
printf 'libexec = %s\nworkers = 1\n' "$LAB/libexec" >>"$LAB/verifierd.conf"
lab_verifier_up; is "verifierd starts with another libexec" $? 0
lab_host_conf
lab_attestd_up
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
reaches 20 reason no-reference; is "attests" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "good with an honest parser" $? 0

# manner, what the verifier has of the host after it: its newest verdict is the lie's, or still the one before
while read -r manner reason; do
	parser "$manner"
	restart; is "$manner: verifierd starts" $? 0
	pgrep -P "${PIDS[verifierd]}" | grep -vxF "$(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse)" | sort >"$LAB/others"
	before=$(newest)
	attestctl attest >"$LAB/attest.out" 2>&1
	after=$(newest)
	case $reason in
	same) is "$manner: no verdict is made of it" "$after" "$before" ;;
	*) is "$manner: a refusal" "${after% *}" "contraindicated $reason" ;;
	esac
	is "$manner: nobody else is lost" "$(pgrep -P "${PIDS[verifierd]}" | sort | comm -12 - "$LAB/others" | wc -l)" "$(wc -l <"$LAB/others")"
	# An honest parser comes by itself, behind another one that lies perhaps: main may have been quick.
	parser honest
	for _ in 1 2 3 4 5 6 7 8; do
		attestctl attest >/dev/null 2>&1
		now=$(newest)
		[ "$now" = "$before" ] || [ "${now% *}" != "affirming ok" ] || break
		sleep 1
	done
	is "$manner: afterwards" "${now% *}" "affirming ok"
	[ "$now" != "$before" ]; is "$manner: by a new verdict" $? 0
done <<-T
	garbage evidence-lost
	job same
	kind same
	judge same
	raw same
	dies same
	hangs same
T

# --- the only parser is frozen, and a hundred clients wait for it: net lives and serves others, each is told so in time,
# --- and what the parser says when it goes on is for nobody
parser honest
restart; is "frozen: verifierd starts" $? 0
CA=$LAB/verifier/tls/ca.pem URL=https://127.0.0.1:$PORT
pending() { verifierctl hosts --json | jq '[.hosts[] | select(.enrollment == "pending")] | length'; }
stranger() {
	curl -s -m 15 -o "$LAB/frozen.$1" -w '%{http_code} %header{retry-after}\n' --cacert "$CA" -H 'Content-Type: application/json' \
		-d '{"name":"stranger","ek_public":"AA","ek_cert":"AA","ek_chain":[],"ak_public":"AA","banks":["sha256"]}' "$URL/v1/enrollments"
}
is "a stranger's enrollment is refused by the parser" "$(stranger 0 | cut -c1-3) $(jq -r .reason "$LAB/frozen.0")" "403 request-invalid"
frozen=$(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse)
net=$(pgrep -P "${PIDS[verifierd]}" -f 'verifierd-net .*hosts$')
kill -STOP "$frozen"
start=$SECONDS
for n in $(seq 100); do stranger "$n" & done >"$LAB/frozen.codes"
sleep 2
is "frozen: net serves others" "$(curl -s -m 2 --cacert "$CA" "$URL/.well-known/jwks.json" | jq -r '.keys[0].crv')" P-256
wait_for 20 sh -c '[ "$(wc -l <"$1")" = 100 ]' - "$LAB/frozen.codes"; is "frozen: all have an answer" $? 0
[ $((SECONDS - start)) -le 14 ]; is "frozen: in time, after $((SECONDS - start)) s" $? 0
# Who came a moment later may have been served by the next parser already.
is "frozen: that it is busy, and when to come again, or what an honest parser says" "$(sort -u "$LAB/frozen.codes" | grep -vx "403 " | paste -sd,)" "503 2"
[ "$(grep -c '^503 2$' "$LAB/frozen.codes")" -gt 0 ]; is "frozen: $(grep -c '^503 2$' "$LAB/frozen.codes") are told so" $? 0
kill -CONT "$frozen" 2>/dev/null
sleep 1
is "frozen: it is the same net" "$(pgrep -P "${PIDS[verifierd]}" -f 'verifierd-net .*hosts$')" "$net"
[ "$(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse)" != "$frozen" ]; is "frozen: but another parser" $? 0
is "frozen: a stranger's enrollment is refused by the parser" "$(stranger 0 | cut -c1-3) $(jq -r .reason "$LAB/frozen.0")" "403 request-invalid"
attestctl attest >/dev/null; is "frozen: hosts go on" $? 0
[ $failed = 0 ]
