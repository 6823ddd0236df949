#!/bin/bash
# attest-json(7) says what commands print with --json: each that needs no daemon is run, and held against the page. Then the
# exit codes of attestctl(8), one by one, and the switches that every command has.
set -u
command -v jq >/dev/null || { echo "SKIP: no jq"; exit 77; }
# shellcheck source=tests/json.sh
. "$top_srcdir/tests/json.sh"
passed=0 failed=0
ctl=$(find "$top_builddir" -type f -name attestctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
vctl=$(find "$top_builddir" -type f -name verifierctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
lab=$(mktemp -d)
attestd=
trap '[ -z "$attestd" ] || kill "$attestd"; rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
mkdir "$lab/pam.d" "$lab/run" "$lab/state" "$lab/said"
cat >"$lab/gate.conf" <<C
[paths]
run_dir = $lab/run
state_dir = $lab/state
owner = $(id -u)
[default]
mode = audit
[sshd]
mode = enforce
arm = always
C
printf 'account required pam_unix.so\n' >"$lab/pam.d/sshd"
a() { "$ctl" -c "$lab/gate.conf" "$@" 2>/dev/null; }
is() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "NOT OK: $1: '$2', wanted '$3'"; fi; }
# fits SECTION WORDS...: of attestctl. A page that says nothing of a member is as wrong as one that says too much.
fits() { local s=$1; shift; is "$s" "$(a "$@" --json | json_differs "$s")" ""; }

fits "attestctl status"      status
fits "attestctl is-attested" is-attested
fits "attestctl check"       check --service sshd --user root
fits "attestctl check"       check --service cron --user root
fits "attestctl lint"        lint --pam-dir "$lab/pam.d"
fits "attestctl doctor"      doctor --pam-dir "$lab/pam.d"
fits "attestctl config"      config
fits "attestctl config"      config sshd
fits "attestctl hook"        hook sshd --dry-run --pam-dir "$lab/pam.d"
fits "attestctl hook"        unhook sshd --dry-run --pam-dir "$lab/pam.d"
fits "attestctl audit"       audit sshd --dry-run --pam-dir "$lab/pam.d"
fits "attestctl audit"       off sshd --dry-run --pam-dir "$lab/pam.d"
fits "attestctl rescue"      rescue test root --dry-run
fits "attestctl seal-image"  seal-image --dry-run
printf '[enroll]\nsimulator = yes\n' >"$lab/verifierd.conf"
is "verifierctl config" "$("$vctl" -c "$lab/verifierd.conf" --json config | json_differs "verifierctl config")" ""
printf '[listen]\nbalancers = 192.0.2.1, 2001:db8::1\n[process]\nuser =\n' >>"$lab/verifierd.conf"
"$vctl" -c "$lab/verifierd.conf" config >"$lab/again.conf"
is "verifierctl config: what it prints is a configuration, and the same" "$("$vctl" -c "$lab/again.conf" config)" "$(cat "$lab/again.conf")"
is "verifierctl config: addresses" "$(grep -c '^balancers = 192.0.2.1 2001:db8::1$' "$lab/again.conf")" 1
printf '[listen]\nweb = 127.0.0.1:8452\nmetrics = 127.0.0.1:9451\n' >>"$lab/verifierd.conf"
is "verifierctl lint: listeners of another version" "$("$vctl" -c "$lab/verifierd.conf" lint 2>&1 | grep -c 'web, metrics')" 1
is "verifierctl lint" "$("$vctl" -c "$lab/verifierd.conf" --json lint | json_differs "verifierctl lint")" ""
# The comparison itself can fail.
is "a member that nobody knows" "$(a is-attested --json | jq '.more = 1' | json_differs "attestctl is-attested" | wc -l)" 1
is "one that is missing" "$(a is-attested --json | jq 'del(.reason)' | json_differs "attestctl is-attested" | wc -l)" 1
is "one of another type" "$(a is-attested --json | jq '.attested = "yes"' | json_differs "attestctl is-attested" | wc -l)" 1

# --- exit codes
code() { local what=$1 wanted=$2; shift 2; a "$@" >/dev/null; is "exit: $what" $? "$wanted"; }
code "done" 0 config
code "doctor: an error" 1 doctor --pam-dir "$lab/pam.d"
code "no command" 2
code "no such command" 2 dance
code "no such option" 2 status --loud
code "an option without its value" 2 check --service
code "a word too many" 2 config sshd sudo
code "a colour that is none" 2 --color sometimes status
code "lint: an error" 2 lint --pam-dir "$lab/pam.d"
for c in status attest explain report metrics; do code "$c without attestd" 3 $c; done
code "no verdict" 4 is-attested
code "no verdict: a decision that waits for attestd" 3 check --service sshd --user nobody
# One that says what it is told: the states of a host.
"$top_builddir/tests/gate/say_attestd" "$lab/run/gate.sock" "$lab/said" &
attestd=$!
for _ in $(seq 100); do [ -S "$lab/run/gate.sock" ] && break; sleep 0.05; done
for row in ok:0 grace:0 kexec:0 firmware-changed:1 host-revoked:1 verifier-unreachable:4 verdict-expired:4 tpm-absent:5 \
    eventlog-unreadable:5 not-enrolled:6 enrollment-pending:6; do
	echo "${row%:*}" >"$lab/said/reason"
	echo "{\"schema\":1,\"state\":\"x\",\"reason\":\"${row%:*}\",\"host\":\"h\"}" | tee "$lab/said/status.json" >"$lab/said/attest.json"
	code "${row%:*}" "${row#*:}" status
	code "attest: ${row%:*}" "${row#*:}" attest
done
# What nobody may who is neither root nor attestd's own user says 7: tests/integration asks a real attestd.

# --- every command: --help, --json and -q behind it, nothing on standard output with -q
for c in $(a --help | sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p'); do
	a "$c" --help >"$lab/help"; is "$c --help" $? 0
	grep -q "usage: attestctl $c" "$lab/help"; is "$c --help says its usage" $? 0
done
for c in status is-attested lint doctor config; do is "$c -q" "$(a -q "$c")" ""; done
is "colour: not in a pipe" "$(a status | grep -c "$(printf '\033')")" 0
is "colour: when it is wanted" "$(a --color always status | grep -c "$(printf '\033')")" 1
is "a mark of ASCII in the C locale" "$(LC_ALL=C a status | head -c 1)" "o"
[ $failed = 0 ]
