#!/bin/bash
# Golden measurements on their way: captured, exported, imported into a second verifier; a second host of the group with an
# initrd of its own; a host whose boot loader keeps no log.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup tpm2_pcrextend jq
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm
LOG=$VM/sb-shimgrub-a/binary_bios_measurements

like() {  # <what> <got> <pattern>
	# shellcheck disable=SC2254  # a pattern is meant
	case $2 in
	$3) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); printf 'NOT OK: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3" ;;
	esac
}
# attests <what> <reason>: a fresh attestation of the host at hand.
attests() { is "$1" "$(attestctl attest --json 2>/dev/null | jq -r .reason)" "$2"; }
references() { verifierctl references "$@"; }

TOP=$(mktemp -d)
LABS=()
finish() {
	for l in "${LABS[@]}"; do
		use "$l"
		lab_close
		[ $failed = 0 ] || for f in "$LAB"/*.log; do echo "--- $f"; tail -n 20 "$f"; done
	done
	rm -rf "$TOP"
	echo "$passed passed, $failed failed"
}
trap finish EXIT

# A lab has its own host, and its own verifier or that of another. Their processes and TPM are kept by lab.
declare -A PID_OF=() TPM_OF=()
use() {
	[ -z "${LAB:-}" ] || { PID_OF[$LAB]=$(declare -p PIDS); TPM_OF[$LAB]=${TPM_ON:-}; }
	lab_open "$TOP/$1"
	unset PIDS
	if [ -n "${PID_OF[$LAB]:-}" ]; then eval "${PID_OF[$LAB]/declare -A/declare -gA}"; else declare -gA PIDS=(); fi
	TPM_ON=${TPM_OF[$LAB]:-}
	TCTI=swtpm:path=$LAB/tpm/sock
	VERIFIER=$TOP/${VERIFIER_OF[$1]:-$1}
	PORT=${PORT_OF[$VERIFIER]:=$(lab_port)}
}
declare -A VERIFIER_OF=([b]=a) PORT_OF=()
verifierctl() { "$VERIFIERCTL" --socket "$VERIFIER/vrun/admin.sock" "$@"; }

# host NAME LOG [silent]: a machine with a TPM that booted LOG, enrolled and approved under that name; silent: it keeps none.
host() {
	lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
	lab_power_on "$2" >>"$LAB/tpm.log" 2>&1
	[ -z "${3:-}" ] || : >"$LAB/boot_log"
	lab_host_conf
	[ "$VERIFIER" = "$LAB" ] || cp "$LAB/ek-roots/manufacturer.pem" "$VERIFIER/ek-roots/$1.pem"
	if [ "$VERIFIER" = "$LAB" ]; then
		lab_verifier_conf 60s 60s
		lab_verifier_up; is "$1: its verifier starts" $? 0
	else
		kill -HUP "$VERIFIER_PID"
		sleep 0.5
	fi
	lab_attestd_up; is "$1: attestd starts" $? 0
	attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$VERIFIER/verifier/tls/ca.pem" --name "$1" >>"$LAB/enroll.out" 2>&1
	verifierctl approve "$1" --yes >/dev/null; is "$1: approved" $? 0
	wait_for 20 sh -c '"$1" -c "$2/gate.conf" --run-dir "$2/run" status --json | jq -e ".enrollment == \"active\""' - "$ATTESTCTL" "$LAB"
}

# other_initrd FROM TO SEED: the log of a machine of the same image whose initrd was made anew.
other_initrd() {
	local digest
	digest=$("$VERIFIERCTL" inspect eventlog "$1" --json | jq -r '.events[] | select(.pcr == 9 and .text == "/initrd.img") | .digests.sha256')
	[ -n "$digest" ] || return 1
	perl -0777 -pe 'BEGIN { ($f, $t) = map { pack("H*", $_) } splice(@ARGV, 0, 2) } s/\Q$f\E/$t/' \
		"$digest" "$(echo "$3" | sha256sum | cut -c1-64)" "$1" >"$2"
	! cmp -s "$1" "$2"
}

# --- one machine captured
use a; LABS+=(a)
host host-a "$LOG"
attests "nothing is known yet" no-reference
references capture host-a --name base --reason test --json >"$TOP/captured"; is "captured" $? 0
is "all of it" "$(jq -rc '.components' "$TOP/captured")" '["firmware","secureboot","loader","boot-entry"]'
references activate base --yes --reason test >/dev/null; is "activated" $? 0
attests "host-a is good" ok
VERIFIER_PID=${PIDS[verifierd]}

# --- the second host of the group
use b; LABS+=(b)
other_initrd "$LOG" "$TOP/b.log" b && other_initrd "$LOG" "$TOP/tampered.log" x; is "another initrd" $? 0
host host-b "$TOP/b.log"
attests "the second host has an initrd of its own" no-reference
like "said in words" "$(verifierctl explain "$(lab_field .ref)")" '*captured from another host*'
verifierctl accept host-b --reason "same image" --yes --json >"$TOP/accepted"; is "accepted" $? 0
is "its own part alone" "$(jq -rc '[.components, .own, .set]' "$TOP/accepted")" '[[],true,"base/2"]'
attests "host-b is good" ok
is "by both sets" "$(lab_field '.references | join(" ")')" "base/1 base/2"
power_cycle() {  # <log>
	lab_kill attestd
	lab_power_off
	lab_power_on "$1" >>"$LAB/tpm.log" 2>&1
	lab_attestd_up
}
power_cycle "$TOP/tampered.log"
attests "with the initrd of neither it is refused" kernel-changed
power_cycle "$LOG"
attests "all of the first one's boot is as good here" ok
power_cycle "$TOP/b.log"
attests "with its own it is good" ok
use a
attests "host-a as before" ok

# --- files
references export base/1 --out "$TOP/base.json"; is "exported" $? 0
references export base/1 | cmp -s - "$TOP/base.json"; is "the same on standard output" $? 0
like "one line an entry" "$(sed -n 3p "$TOP/base.json")" '{"component":*'
use c; LABS+=(c)
host host-c "$LOG"
attests "the other verifier knows nothing" no-reference
references import "$TOP/base.json" --host host-c --reason "from the other site" --json >"$TOP/imported"; is "imported" $? 0
is "a candidate with the same content" "$(jq -rc '.sets[0] | [.state, .digest]' "$TOP/imported")" \
	"$(jq -rc '["candidate", .digest]' "$TOP/captured")"
attests "it permits nothing" pending-approval
references activate base --yes --reason test >/dev/null; is "activated there" $? 0
attests "host-c is good" ok
sed 's/"pcr":7,/"pcr":77,/' "$TOP/base.json" >"$TOP/bad.json"
out=$(references import "$TOP/bad.json" --reason x 2>&1); is "a bad file" $? 1
like "with line and key" "$out" '*line *: entries\[*\]: pcr*'
is "nothing of it is kept" "$(references list --json | jq '.sets | length')" 1
sed 's/"origin":"[^"]*"/"origin":"\\u001b[31mred"/' "$TOP/base.json" >"$TOP/red.json"
out=$(references import "$TOP/red.json" --name red --host host-c --reason test); is "a file that colours its words" $? 0
out+=$(references list; references show red/1)
like "is shown as it is" "$out" '*?\[31mred*'
is "without a colour" "${out//[!$'\e']/}" ""

# --- files of others: components of systemd, two kernels as alternatives; boot chains of Keylime
records() { "$VERIFIERCTL" inspect eventlog "$1" --json | jq "{records: [.events[] | select(.type != \"EV_NO_ACTION\" and ($2)) | {pcr, digests: [{hashAlg: \"sha256\", digest: .digests.sha256}]}]}"; }
mkdir -p "$TOP/pcrlock.d/650-uki.pcrlock.d"
records "$VM/sdboot-uki/binary_bios_measurements" '.pcr == 0 or .pcr == 2' >"$TOP/pcrlock.d/250-firmware-code.pcrlock"
for v in sdboot-uki sdboot-1; do
	records "$VM/$v/binary_bios_measurements" '.pcr == 4 or .pcr == 11' >"$TOP/pcrlock.d/650-uki.pcrlock.d/$v.pcrlock"
done
touch "$TOP/pcrlock.d/README"
references import "$TOP/pcrlock.d" --name lock --reason test --json >"$TOP/lock"; is "a folder of .pcrlock files" $? 0
is "an alternative is a set" "$(jq -rc '[.sets[] | [.set, .state, .components]]' "$TOP/lock")" \
	'[["lock/1","candidate",["firmware","boot-entry"]],["lock/2","candidate",["boot-entry"]]]'
chain=$("$VERIFIERCTL" inspect eventlog "$LOG" --json |
	jq -c '[.events[] | select(.type == "EV_EFI_BOOT_SERVICES_APPLICATION") | "0x" + .digests.sha256] |
		{has_secureboot: true, kernels: [{shim_authcode_sha256: .[0], grub_authcode_sha256: .[1], kernel_authcode_sha256: .[2]}]}')
printf '%s' "$chain" >"$TOP/refstate.json"
out=$(references import "$TOP/refstate.json" --reason test); is "boot chains of Keylime" $? 0
like "with what stays behind" "$out" '*not carried over*has_secureboot: a rule*'
references show refstate/1 | grep -q 'loader *fleet *4 .*shim'; is "shim, as what it is" $? 0
out=$(references import "$TOP" --reason test 2>&1); is "a folder without any" $? 1
like "says so" "$out" '*no .pcrlock file'

# --- revoked
references revoke base --component loader --reason "vulnerable" --yes >/dev/null; is "revoked" $? 0
is "marked at once" "$(verifierctl hosts --json | jq -r '.hosts[0].reason')" reference-revoked
attests "refused" reference-revoked
references retire base --reason "not after all" --yes >/dev/null; is "taken back" $? 0
references activate base --yes --expires 30d --reason test >/dev/null; is "and good again, for a while" $? 0
like "until then" "$(references list --json | jq -r '.sets[0].expires')" '20*Z'
attests "host-c is good again" ok

# --- a boot loader that keeps no log
use d; LABS+=(d)
host host-d "$LOG" silent
attests "no log" eventlog-missing
like "said in words" "$(verifierctl explain "$(lab_field .ref)")" '*the host sent no boot log*'
verifierctl class host-d no-log --reason "GRUB without Secure Boot" >/dev/null; is "class" $? 0
is "shown" "$(verifierctl show host-d --json | jq -r .class)" no-log
like "audited" "$(verifierctl audit list --json | jq -r '.entries[-1] | "\(.action) \(.before) \(.after) \(.why)"')" "class log no-log GRUB*"
attests "no pins yet" no-reference
references capture host-d --name pins --reason test --json >"$TOP/pins"; is "pins captured" $? 0
is "three values" "$(jq -rc '[.entries, .components]' "$TOP/pins")" '[3,["firmware","secureboot"]]'
references activate pins --yes --reason test >/dev/null; is "pins activated" $? 0
attests "host-d is good" ok
like "and what that means" "$(verifierctl explain "$(lab_field .ref)")" '*kernel and command line are not appraised*'
# A policy with other PCRs comes while the values are asked for: the attestation is begun anew, with values of its own.
lab_kill attestd
sed -i 's/^timeout = .*/timeout = 9s/' "$LAB/attestd.conf"
lab_attestd_up
attests "good after a restart" ok
echo '{"schema":1,"name":"default","pcrs":{"0":"events","2":"events","4":"events","7":"events"},"tpm":{"allow_simulator":true}}' >"$TOP/fewer.json"
mapfile -t judges < <(pgrep -P "${PIDS[verifierd]}" -f 'verifierd-judge( |$)')
kill -STOP "${judges[@]}"
attestctl attest --json >"$TOP/anew" 2>/dev/null & asked=$!
sleep 1
verifierctl policies set "$TOP/fewer.json" --yes --reason test >/dev/null; is "fewer PCRs" $? 0
kill -CONT "${judges[@]}"
wait $asked
is "still good" "$(jq -r .reason "$TOP/anew")" ok
TPM2TOOLS_TCTI=$TCTI tpm2_pcrextend "7:sha256=$(printf 1 | sha256sum | cut -c1-64)"
attests "a changed PCR" secureboot-changed
cp "$LOG" "$LAB/boot_log"
attests "a golden log over other PCRs is no way round" secureboot-changed
[ $failed = 0 ]
