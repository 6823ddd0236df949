#!/bin/bash
# What an attestation costs the host: CPU time of attestd and its TPM child, all threads, and their memory.
# TLS and JSON are in it; the TPM (a process of its own here), the verifier and all waiting are not.
# usage: attestd.sh [ROUNDS]
set -u
SOURCE=$top_srcdir BUILD=$top_builddir ROUNDS=${1:-9} EACH=10
for p in swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq; do
	command -v $p >/dev/null || { echo "SKIP: no $p here"; exit 77; }
done
. "$SOURCE/tests/integration/lab.sh"
lab_open "$(mktemp -d)"
trap 'lab_close; rm -rf "$LAB"' EXIT

broken() { echo "attestd.sh: $1" >&2; tail -n 5 "$LAB"/*.log >&2; exit 1; }
crew() { echo "${PIDS[attestd]}"; cat "/proc/${PIDS[attestd]}/task/"*/children 2>/dev/null; }
cpu() {  # microseconds so far
	local p
	for p in $(crew); do cat "/proc/$p/task/"*/schedstat; done | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
}
attest() { [ "$(attestctl attest --json | jq -r .reason)" = ok ] || broken "an attestation failed"; }
row() {  # NAME VALUE UNIT AIM
	printf '%-44s %7.1f %-3s%20s%-14s %s\n' "$1" "$2" "$3" "" "$4 $3" \
		"$(awk -v v="$2" -v a="$4" 'BEGIN { print v <= a ? "met" : "NOT MET" }')"
}

lab_manufacture >"$LAB/manufacture.log" 2>&1 || broken "no TPM"
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up || broken "no verifier"
lab_host_conf
lab_attestd_up || broken "no attestd"
attestctl enroll --url "https://127.0.0.1:$PORT" --name bench --ca "$LAB/verifier/tls/ca.pem" >/dev/null
verifierctl approve bench --yes >/dev/null
wait_for 20 sh -c "grep -q reason=no-reference '$LAB/run/verdict'" || broken "not enrolled"
verifierctl references capture bench --name base --reason bench >/dev/null
verifierctl references activate base --yes >/dev/null
attest

for ((round = 0; round < ROUNDS; round++)); do
	before=$(cpu) members=$(crew)
	for ((i = 0; i < EACH; i++)); do attest; done
	after=$(cpu)
	[ "$members" = "$(crew)" ] || broken "a process of attestd was replaced"
	echo $(((after - before) / EACH))
done | sort -n >"$LAB/rounds"
median=$(awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2000 }' "$LAB/rounds")
[ "$(wc -l <"$LAB/rounds")" = "$ROUNDS" ] || exit 1
dirty=$(for p in $(crew); do cat "/proc/$p/smaps_rollup"; done | awk '/^Private_Dirty:/ { sum += $2 } END { print sum / 1024 }')
printf '\nattestd and its TPM child\n%-44s %10s %10s %7s  %-14s\n' "" figure floor ratio aim
row "an attestation, CPU" "$median" ms 5
row "private dirty" "$dirty" MiB 4
