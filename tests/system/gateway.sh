# shellcheck shell=bash
# gateway.sh - a gateway and a client's machine beside it, for doors through which machines come that are judged themselves.
# The client, with the TPM, is in the network namespace cli (10.99.0.2); verifier and gateway are at 10.99.0.1. Sourced by
# bash, after lab.sh and machine.sh. The client's attestd keeps what it has in LAB, the gateway's in LAB/gw.

gateway_nets() {
	mkdir -p /dev/net /run/netns
	[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
	(: <>/dev/net/tun) 2>/dev/null && ip netns add cli 2>/dev/null && ip link add v0 type veth peer name v1 2>/dev/null &&
		ip link set v1 netns cli && ip addr add 10.99.0.1/24 dev v0 && ip link set v0 up &&
		ip -n cli addr add 10.99.0.2/24 dev v1 && ip -n cli link set v1 up && ip -n cli link set lo up
}

gateway_verifier() {
	lab_verifier_conf
	sed -i "s/^hosts = .*/hosts = 10.99.0.1:$PORT/" "$LAB/verifierd.conf"
	printf '[tls]\nnames = 10.99.0.1\n' >>"$LAB/verifierd.conf"
	lab_verifier_up
}

# Enrolled as laptop7, captured, and good.
gateway_client() {
	lab_host_conf
	gateway_client_up || return 1
	attestctl enroll --url "https://10.99.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name laptop7 >/dev/null
	verifierctl approve laptop7 --yes >/dev/null
	wait_for 20 sh -c '[ "$(sed -n s/^reason=//p "$1"/run/verdict)" = no-reference ]' - "$LAB" || return 1
	verifierctl references capture laptop7 --name base --reason test >/dev/null
	verifierctl references activate base --yes >/dev/null && attestctl attest -q
}
gateway_client_up() {
	rm -f "$LAB/run/gate.sock"
	lab_start attestd ip netns exec cli "$ATTESTD" -c "$LAB/attestd.conf" -f
	wait_for 10 test -S "$LAB/run/gate.sock"
}

# Without a TPM and not enrolled; a token of its own.
gateway_attestd() {
	mkdir -p "$LAB/gw/run" "$LAB/gw/state"
	install -m 600 /dev/null "$LAB/gw/token"
	printf 'none\n' >"$LAB/gw/token"
	cat >"$LAB/gw/attestd.conf" <<-C
		[verifier]
		url = https://10.99.0.1:$PORT
		ca_file = $LAB/verifier/tls/ca.pem
		token_file = $LAB/gw/token
		timeout = 2s
		[tpm]
		tcti = none
		[paths]
		run_dir = $LAB/gw/run
		state_dir = $LAB/gw/state
		[process]
		user =
	C
	lab_start gateway "$ATTESTD" -c "$LAB/gw/attestd.conf" -f
	wait_for 10 test -S "$LAB/gw/run/gate.sock"
}
gateway_again() {
	lab_kill gateway
	rm -f "$LAB/gw/run/gate.sock"
	lab_start gateway "$ATTESTD" -c "$LAB/gw/attestd.conf" -f
	wait_for 10 test -S "$LAB/gw/run/gate.sock"
}
# The verifier's administrator lets it ask.
gateway_named() {
	verifierctl gateways add vpn7 --audience vpn.example,ssh.example --reason test >"$LAB/gw/token" && gateway_again
}

# gateway_conf DIR RECIPE: gate.conf of a gate that asks the attestd of this folder, and the recipe's drop-in.
gateway_conf() {
	rm -rf /etc/attest/gate.conf.d
	install -D -m 644 -t /etc/attest/gate.conf.d "$SOURCE/recipes/$2"/etc/attest/gate.conf.d/*.conf || exit 1
	printf '[paths]\nrun_dir = %s/run\nstate_dir = %s/state\nboot_id = %s\nowner = 0\n[default]\ntimeout = 4s\n' \
		"$1" "$1" "$LAB/boot_id" >/etc/attest/gate.conf
}
# gateway_edit COMMAND: of sed, on that drop-in.
gateway_edit() { sed -i "$1" /etc/attest/gate.conf.d/*.conf; }
