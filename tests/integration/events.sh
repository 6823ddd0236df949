#!/bin/bash
# What the verifier hears afterwards: who came in without a verdict, once, whatever goes down in between; and no flood
# of accesses becomes one of TPM commands.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend pamtester jq
. "$SOURCE/tests/integration/lab.sh"

lab_open "$(mktemp -d)"
trap lab_end EXIT
# uses KIND [USER]: how often the verifier has heard of it
uses() { verifierctl history host-a --json | jq "[.history[] | select(.kind == \"$1\" and (.user == \"${2:-eve}\")) | .count] | add // 0"; }
# heard SECONDS KIND COUNT [USER]
heard() { wait_for "$1" sh -c '[ "$("$0" --socket "$1" history host-a --json | jq "[.history[] | select(.kind == \"$2\" and .user == \"$4\") | .count] | add // 0")" = "$3" ]' "$VERIFIERCTL" "$LAB/vrun/admin.sock" "$2" "$3" "${4:-eve}"; }
commands() { lab_field .counters.tpm_commands; }
restart() { lab_kill attestd "${1:-TERM}"; lab_attestd_up; wait_for 10 attestctl status; }
logins() { for _ in $(seq "$1"); do lab_login "$2" >/dev/null; done; }

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up; is "verifier" $? 0
lab_host_conf 'exempt_user = ada'
sed -i "/^\[paths\]/a group = $LAB/group" "$LAB/gate.conf"
printf 'attest-breakglass:x:999:eve\n' >"$LAB/group"
lab_attestd_up; is "attestd" $? 0
attestctl enroll --url "https://localhost:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null; is "enroll" $? 0
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
wait_for 20 test -s "$LAB/run/verdict"
attestctl attest >/dev/null
verifierctl accept host-a --reason test --yes >/dev/null; is "accept" $? 0
attestctl attest >/dev/null; is "good" $? 0

# --- a login costs no TPM command, and tells nobody anything; one past the gate is told at once, by one quote
before=$(commands)
logins 5 kim
is "logins by a verdict cost nothing" "$(commands)" "$before"
lab_login eve >/dev/null
heard 10 break-glass 1; is "break-glass is told" $? 0
is "by one TPM command" $(($(commands) - before)) 1
is "and with it the modes in force" "$(verifierctl show host-a --json | jq -c .modes)" '{"demo":"enforce"}'
verifierctl show host-a | grep -q '^gates *demo: enforce'; is "show says so" $? 0
verifierctl history host-a | grep -Eq 'break-glass .*demo +eve +1 '; is "history says so" $? 0

# --- a flood is one incident with a count
logins 40 eve
[ $(($(commands) - before)) -le 2 ]; is "a flood costs no quotes" $? 0
is "it waits for its turn" "$(uses break-glass)" 1

# --- what is counted, as Prometheus reads it
attestctl metrics >"$LAB/metrics"; is "metrics" $? 0
value() { sed -n "s/^$1 //p" "$LAB/metrics"; }
is "each line is a comment or a sample" "$(grep -Evc '^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? -?[0-9]+)$' "$LAB/metrics")" 0
is "no sample twice" "$(sed 's/ [^ ]*$//' "$LAB/metrics" | grep -v '^#' | sort | uniq -d)" ""
is "types before samples" "$(awk '/^# TYPE/ { t[$3] = 1; next } /^[a-z]/ { sub(/[ {].*/, ""); if (!t[$0]) print }' "$LAB/metrics")" ""
is "the state" "$(value 'attest_state{state="affirming"}') $(value 'attest_state{state="none"}')" "1 0"
is "break-glass" "$(value attest_breakglass_total)" 41
is "decisions" "$(value 'attest_pam_decisions_total{service="demo",result="permitted",reason="ok"}')" 5
is "the TPM" "$(value attest_tpm_commands_total)" "$(commands)"
is "the mode" "$(value 'attest_service_mode{service="demo",mode="enforce"}')" 1
for name in $(grep -o 'attest_[a-z_]*' "$SOURCE/deploy/prometheus/pam-attest.rules.yml" | sort -u); do
	grep -q "\"$name\"" "$SOURCE/pam_attest/attestd/metrics.h"; is "a rule asks for $name" $? 0
done
attestctl metrics --out "$LAB/attest.prom" && cmp -s <(grep -v asks_total "$LAB/attest.prom") <(attestctl metrics | grep -v asks_total); is "into a file" $? 0

# --- the verifier out, attestd killed: told once when both are back, and what had waited with it
lab_kill verifierd
logins 2 eve
wait_for 5 sh -c '[ "$(grep -c " eve " "$0")" = 43 ]' "$LAB/state/decisions"; is "both are kept" $? 0
restart KILL
logins 3 eve
lab_gate_conf 'sources = exempt cache [none=permit broken=permit]
max_age = 1s'
sleep 1.1
lab_login kim >/dev/null; is "a bracket opens" $? 0
is "nobody to tell" "$(lab_field .verifier.state)" out
lab_verifier_up
attestctl attest >/dev/null
heard 10 break-glass 46; is "each is told once" "$(uses break-glass)" 46
is "fail-open is told" "$(uses fail-open kim)" 1
restart
attestctl attest >/dev/null
sleep 1
is "nothing is told twice" "$(uses break-glass) $(uses fail-open kim)" "46 1"

# --- an answer that is lost: the same batch again
lab_gate_conf 'kill_switch = all'
: >"$LAB/DISABLED"
logins 2 kim
wait_for 5 grep -q kill "$LAB/state/decisions"; is "kept" $? 0
lab_kill verifierd
restart                          # which forgets when it told last
attestctl attest >/dev/null
lab_verifier_up
sleep 1                          # it takes one batch a second, and had one just before
attestctl attest >/dev/null
heard 10 kill-switch 2 kim; is "a kill switch is told" $? 0
rm "$LAB/DISABLED"
cp "$LAB/state/outbox" "$LAB/outbox.taken"
jq -c '.batch = .last | .batch.events = [{"kind":"kill-switch","service":"demo","user":"kim","reason":"ok","ref":"","count":2,
	"first":"2026-11-24T09:00:00Z","last":"2026-11-24T09:00:00Z"}] | .newest = .told' "$LAB/outbox.taken" >"$LAB/outbox.again"
lab_kill attestd
cp "$LAB/outbox.again" "$LAB/state/outbox"
lab_attestd_up
attestctl attest >/dev/null
wait_for 10 sh -c '! jq -e .batch "$0" >/dev/null' "$LAB/state/outbox"; is "it is answered" $? 0
is "and taken once" "$(uses kill-switch kim)" 2

# --- what cannot be read is no reason not to serve
lab_kill attestd
echo nonsense >"$LAB/state/outbox"
lab_attestd_up
attestctl attest >/dev/null; is "a torn outbox" $? 0
sleep 1
is "and what was told before is not told again" "$(uses break-glass)" 46
[ $failed = 0 ]
