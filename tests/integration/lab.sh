# shellcheck shell=bash
# lab.sh - a whole pam-attest in one folder: software TPM, verifier, attestd, a PAM stack. Sourced, by bash.
#
# BUILD is the build tree, SOURCE the source tree. Everything lives below LAB; nothing else is touched. Processes are
# kept by name in PIDS and ended by id.

. "$SOURCE/tests/shell.sh"
. "$SOURCE/tests/integration/swtpm.sh"

declare -A PIDS=()

# lab_program NAME: where the build tree has it.
lab_program() { find "$BUILD" -type f -name "$1" -perm -100 ! -path "$BUILD/root/*" | head -n 1; }

lab_open() {
	LAB=$1
	mkdir -p "$LAB/pam.d" "$LAB/run" "$LAB/state" "$LAB/verifier" "$LAB/vrun" "$LAB/ek-roots"
	MODULE=$BUILD/.libs/pam_attest.so
	ATTESTD=$(lab_program attestd) ATTESTCTL=$(lab_program attestctl)
	VERIFIERD=$(lab_program verifierd) VERIFIERCTL=$(lab_program verifierctl)
}

# lab_kill NAME [SIGNAL]: ends what lab_start started under that name.
lab_kill() {
	local pid=${PIDS[$1]:-}
	[ -n "$pid" ] || return 0
	unset "PIDS[$1]"
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	return 0
}

lab_start() {
	local name=$1; shift
	"$@" >>"$LAB/$name.log" 2>&1 &
	PIDS[$name]=$!
}

lab_close() {
	lab_kill attestd
	lab_kill verifierd
	[ -z "${TPM_ON:-}" ] || lab_power_off
}

# How a test ends: nothing of it runs on, what was logged is shown if it failed, and what was counted.
lab_end() {
	local name log
	lab_close
	for name in "${!PIDS[@]}"; do lab_kill "$name"; done
	[ "$failed" = 0 ] || for log in "$LAB"/*.log; do echo "--- ${log##*/}"; tail -n 30 "$log"; done
	rm -rf "$LAB"
	echo "$passed passed, $failed failed"
}

# Below the range from which the kernel takes ports for outgoing connections.
lab_port() {
	local p
	while :; do
		p=$((20000 + RANDOM % 12000))
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
	done
	echo $p
}

# --- the machine

# lab_manufacture [swtpm_setup arguments]: a TPM with an EK certificate by a CA of its own.
lab_manufacture() {
	swtpm_manufacture "$LAB/tpm" "$@" || return 1
	cat "$LAB"/tpm/ca/*.pem >"$LAB/ek-roots/manufacturer.pem" 2>/dev/null
	TCTI=swtpm:path=$LAB/tpm/sock
}

# lab_power_on LOG: the TPM starts, and is extended with every digest of a recorded boot, as firmware and loader did.
lab_power_on() {
	swtpm_start "$LAB/tpm" || return 1
	TPM_ON=1
	cp "$1" "$LAB/boot_log"
	cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
	local digests
	digests=$("$VERIFIERCTL" inspect eventlog "$1" --json |
		jq -r '.events[] | select(.type != "EV_NO_ACTION" and .digests.sha256) | "\(.pcr):sha256=\(.digests.sha256)"') || return 1
	# shellcheck disable=SC2086  # a list of words
	TPM2TOOLS_TCTI=$TCTI tpm2_pcrextend $digests
}

# What a reboot takes with it: the TPM's PCRs, and /run.
lab_power_off() {
	swtpm_stop "$LAB/tpm"
	rm -rf "${LAB:?}"/run/*
	TPM_ON=
}

# --- the verifier

# lab_verifier_conf [LIFETIME] [GRACE_MAX]
lab_verifier_conf() {
	PORT=${PORT:-$(lab_port)}
	cat >"$LAB/verifierd.conf" <<-C
		[listen]
		hosts = 127.0.0.1:$PORT
		admin = $LAB/vrun/admin.sock
		[store]
		url = sqlite:$LAB/verifier/store.db
		[paths]
		state_dir = $LAB/verifier
		run_dir = $LAB/vrun
		[enroll]
		mode = approve
		ek_roots = $LAB/ek-roots
		simulator = yes
		[result]
		lifetime = ${1:-15m}
		grace_max = ${2:-24h}
		[process]
		user =
	C
}
verifierctl() { "$VERIFIERCTL" --socket "$LAB/vrun/admin.sock" "$@"; }
lab_verifier_up() {
	lab_start verifierd "$VERIFIERD" -c "$LAB/verifierd.conf" -f
	wait_for 20 verifierctl hosts
}

# --- the host's side

lab_host_conf() {
	cat >"$LAB/attestd.conf" <<-C
		[verifier]
		timeout = 2s
		[tpm]
		tcti = $TCTI
		[logs]
		boot_log = $LAB/boot_log
		ima_log =
		[paths]
		run_dir = $LAB/run
		state_dir = $LAB/state
		boot_id = $LAB/boot_id
		[process]
		user =
	C
	lab_gate_conf "$@"
	# The line that GATE.md recommends, then a module that has an opinion.
	cat >"$LAB/pam.d/demo" <<-C
		auth required pam_permit.so
		account [success=ok ignore=ignore module_unknown=ignore default=die] $MODULE conf=$LAB/gate.conf
		account required pam_permit.so
		session required pam_permit.so
	C
	printf '%s required pam_deny.so\n' auth account session password >"$LAB/pam.d/other"
}

# lab_gate_conf [LINES of [demo]]
lab_gate_conf() {
	cat >"$LAB/gate.conf" <<-C
		[paths]
		run_dir = $LAB/run
		state_dir = $LAB/state
		boot_id = $LAB/boot_id
		owner = $(id -u)
		[default]
		mode = audit
		[demo]
		mode = enforce
		arm = always
		${1:-}
	C
}
attestctl() { "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" "$@"; }
lab_attestd_up() {
	rm -f "$LAB/run/gate.sock"
	lab_start attestd "$ATTESTD" -c "$LAB/attestd.conf" -f
	wait_for 10 test -S "$LAB/run/gate.sock"
}

# lab_login [USER]: one login's account phase through the PAM stack; prints what the user sees.
# A module built with AddressSanitizer wants its runtime first; pamtester's own leaks are not ours.
lab_login() {
	local asan
	asan=$(ldd "$MODULE" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1/p')
	LD_PRELOAD="${asan:+$asan }libpam_wrapper.so" ASAN_OPTIONS=detect_leaks=0 PAM_WRAPPER=1 PAM_WRAPPER_SERVICE_DIR="$LAB/pam.d" \
		pamtester demo "${1:-kim}" acct_mgmt 2>&1
}

# lab_field JSON-PATH: of `attestctl status --json`.
lab_field() { attestctl status --json | jq -r "$1"; }
