#!/bin/bash
# Row 24: kill -9 of every process, at every step of attestations and enrollments. What was answered is there, what was
# used is used (row 46: also by who takes over), nothing is half-written, and everybody goes on.
#
#   CRASH_ROUNDS=200 tests/integration/crash.sh     that many kills (default 24); CRASH_SEED repeats a run
#
# A round takes a process and a slice of the operation's measured time, kills that process somewhere in the slice,
# starts again what the test itself had started, and looks. tls_tap has every evidence that was sent: all of it is sent
# once more after each round.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
for p in swtpm swtpm_setup swtpm_localca tpm2_pcrextend tpm2_getcap curl jq; do
	command -v $p >/dev/null || { echo "SKIP: no $p here"; exit 77; }
done
. "$SOURCE/tests/integration/lab.sh"

rounds=${CRASH_ROUNDS:-24} seed=${CRASH_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$((seed % 32768))
echo "seed $seed"
passed=0 failed=0 round=start
is() {  # <what> <got> <wanted>
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'NOT OK: %s: %s\n  got:    %s\n  wanted: %s\n' "$round" "$1" "$2" "$3"
	fi
}
now_ms() { date +%s%3N; }

lab_open "$(mktemp -d)"
exec 3>&2 2>"$LAB/shell.log"
finish() {
	exec 2>&3
	lab_close
	lab_kill tap
	[ $failed = 0 ] || for l in "$LAB"/*.log; do echo "--- ${l##*/}"; tail -n ${CRASH_TAIL:-20} "$l"; done
	rm -rf "$LAB"
	echo "$passed passed, $failed failed"
}
trap finish EXIT

# --- the world

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
mkdir "$LAB/sent"
TAP=$(lab_port) CA=$LAB/verifier/tls/ca.pem
lab_start tap "$(lab_program tls_tap)" "$TAP" "$PORT" "$LAB/verifier/tls/server.pem" "$LAB/verifier/tls/server-key.pem" "$LAB/sent"
lab_host_conf
lab_attestd_up; is "attestd starts" $? 0

serving() { verifierctl hosts >/dev/null 2>&1 && curl -s -m 2 -o /dev/null --cacert "$CA" "https://127.0.0.1:$PORT/healthz"; }
enroll() { attestctl enroll --url "https://127.0.0.1:$TAP" --ca "$CA" --name host-a >"$LAB/enroll.out" 2>&1; }
approve() { verifierctl approve host-a --yes >"$LAB/approve.out" 2>&1; }
# bash says on standard error what was killed meanwhile.
attest() { attestctl attest --json >"$LAB/attest.out" 2>/dev/null; }

wait_for 10 enroll; is "enroll" $? 0
approve; is "approve" $? 0
wait_for 20 test -s "$LAB/run/result.jwt"; is "a first result" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null && verifierctl references activate base --yes >/dev/null
is "a reference set" $? 0
wait_for 20 attest; is "good" $? 0

[ $failed = 0 ] || exit 1

# --- one round

# pids WHO: of that process, or of all that share a role
pids() {
	case $1 in
	main) echo "${PIDS[verifierd]}" ;;
	attestd) echo "${PIDS[attestd]}" ;;
	tpm) pgrep -P "${PIDS[attestd]}" ;;
	hosts) pgrep -P "${PIDS[verifierd]}" -f 'verifierd-net .*hosts$' ;;
	admin) pgrep -P "${PIDS[verifierd]}" -f 'verifierd-net .*admin$' ;;
	*) pgrep -P "${PIDS[verifierd]}" -f "verifierd-$1( |\$)" ;;
	esac
}
# What an operation says is kept: its exit status as OP=STATUS in LAB/done.
run() { "$@"; echo "$*=$?" >>"$LAB/done"; }
answered() { grep -qx "$1=0" "$LAB/done"; }
operation() {
	: >"$LAB/done"
	if [ "$1" = attest ]; then
		run attest
	else
		run enroll
		! answered enroll || run approve
	fi
}
measure() {
	local start; start=$(now_ms)
	operation "$1"
	echo $(($(now_ms) - start))
}

# Every evidence that was sent, once more: one that was answered never; one that was not, once at most.
again() {
	local body out answer accepted=0
	for body in "$LAB"/sent/*.body; do
		[ -f "$body" ] || continue
		answer=${body%.body}.answer
		for _ in 1 2; do
			out=$(curl -s -m 10 -o /dev/null -w '%{http_code}' --cacert "$CA" -H 'Content-Type: application/vnd.pam-attest.evidence' \
				--data-binary "@$body" "https://127.0.0.1:$PORT/v1/evidence")
			case $out in
			200)
				accepted=$((accepted + 1))
				head -n 1 "$answer" 2>/dev/null | grep -q ' 200 ' && is "answered evidence counts again" "$body" none
				;;
			4??) refused=$((refused + 1)) ;;
			*) is "replay: an answer" "$out" "4xx" ;;
			esac
		done
		[ $accepted -le 1 ] || is "evidence counts twice" "$accepted" 1
		[ $accepted = 0 ] || late=$((late + 1))
		accepted=0
		# What was answered is in the history.
		if head -n 1 "$answer" 2>/dev/null | grep -q ' 200 '; then
			ref=$(sed -n 's/.*"ref": *"\([0-9A-Z-]*\)".*/\1/p' "$answer" | head -n 1)
			verifierctl explain "$ref" >/dev/null 2>&1 && verdicts=$((verdicts + 1)) || is "an answered verdict is in the history" "${ref:-no ref}" there
		fi
		rm -f "$body" "$answer"
	done
}

# What the kernel's resource manager does when /dev/tpmrm0 is closed, and a bare software TPM does not.
rm_tpm() {
	local what
	for what in -t -l -s; do TPM2TOOLS_TCTI=$TCTI tpm2_flushcontext $what; done >>"$LAB/tpm.log" 2>&1
}
back_up() {  # <who was killed>
	case $1 in
	main)
		wait "${PIDS[verifierd]}" 2>/dev/null
		lab_start verifierd "$VERIFIERD" -c "$LAB/verifierd.conf" -f
		;;
	attestd)
		wait "${PIDS[attestd]}" 2>/dev/null
		rm_tpm
		lab_attestd_up; is "attestd starts again" $? 0
		;;
	tpm) rm_tpm ;;
	esac
	wait_for 20 serving; is "verifierd serves again" $? 0
}

heal() {  # <operation>: what was answered holds; what was not is done again
	if [ "$1" = enroll ]; then
		if ! answered enroll; then
			wait_for 30 enroll; is "enroll again" $? 0
			wait_for 10 approve; is "approve" $? 0
		elif ! answered approve; then
			# It may have been done and not said.
			approve || [ "$(verifierctl hosts --json | jq '[.hosts[] | select(.enrollment == "pending")] | length')" = 0 ]
			is "an answered enrollment waits for its approval" $? 0
		fi
	elif answered attest; then
		verifierctl explain "$(jq -r .ref "$LAB/attest.out")" >/dev/null 2>&1; is "what attestctl said is in the history" $? 0
	fi
	wait_for 20 attest; is "attests again" $? 0
}

slices=$(((rounds + 39) / 40)) who=(main core hosts admin parse judge attestd tpm)
[ $slices -ge 3 ] || slices=3
attest_ms=$(measure attest)
enroll_ms=$(measure enroll)
wait_for 20 attest
verdicts=0 refused=0 late=0 kills=0 enrollments=0
declare -A hit=()
started=$SECONDS
for ((n = 0; n < rounds; n++)); do
	victim=${who[n % ${#who[@]}]}
	op=attest span=$attest_ms
	# One in three is an enrollment; over the rounds every process is killed in both.
	[ $((n % 3)) != 0 ] || op=enroll span=$enroll_ms
	slice=$((n / ${#who[@]} % slices))
	delay=$(((slice * 1000 + RANDOM % 1000) * span / slices / 1000))
	round="round $n: $victim killed $delay of $span ms into $op"
	mapfile -t targets < <(pids "$victim")
	case $victim$((n / ${#who[@]} % 2)) in
	core1 | hosts1 | parse1 | judge1)
		round="round $n: $victim killed once evidence is on its way"
		( for _ in {1..1000}; do compgen -G "$LAB/sent/*.body" >/dev/null && break; sleep 0.001; done
			kill -KILL "${targets[@]}" 2>/dev/null ) &
		;;
	*) ( sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"; kill -KILL "${targets[@]}" 2>/dev/null ) & ;;
	esac
	killer=$!
	operation $op
	wait $killer
	kills=$((kills + 1))
	hit[$victim]=$((${hit[$victim]:-0} + 1))
	[ $op != enroll ] || enrollments=$((enrollments + 1))
	back_up "$victim"
	heal $op
	again
	is "no unfinished file" "$(find "$LAB/state" "$LAB/run" "$LAB/verifier" "$LAB/vrun" -name '*.new.*' -printf '%P ')" ""
	[ $failed -lt 10 ] || exit 1
	is "the gate reads the record" "$(attestctl check --service demo --user kim --json | jq -r .decision)" permit
done
round=end
is "the audit trail is intact" "$(verifierctl audit list --json | jq .intact)" true
is "host-a is there once" "$(verifierctl hosts --json | jq '[.hosts[] | select(.name == "host-a" and .enrollment == "active")] | length')" 1
cmp -s "$LAB/state/ca.pem" "$CA" || openssl x509 -in "$LAB/state/ca.pem" -noout -fingerprint | cmp -s - <(openssl x509 -in "$CA" -noout -fingerprint)
is "the CA is the one that it was" $? 0
lab_kill verifierd
if command -v sqlite3 >/dev/null; then
	is "the store is whole" "$(sqlite3 "$LAB/verifier/store.db" 'PRAGMA integrity_check; PRAGMA foreign_key_check;')" ok
fi
lab_verifier_up; is "and opens" $? 0
for w in "${who[@]}"; do printf '%s %s, ' "$w" "${hit[$w]:-0}"; done
echo "$kills kills in $((SECONDS - started)) s: $((rounds - enrollments)) attestations ($attest_ms ms), $enrollments enrollments ($enroll_ms ms);" \
	"$verdicts answered verdicts found, $refused replays refused, $late unanswered evidences taken once;" \
	"$(TPM2TOOLS_TCTI=$TCTI tpm2_getcap handles-persistent | grep -c 0x81010A) keys of attestd in the TPM"
[ $failed = 0 ]
