# swtpm.sh - a software TPM in a folder, with endorsement certificates by a CA of its own. Sourced by bash.
#
# swtpm_manufacture DIR [swtpm_setup arguments]   TPM state in DIR, CA below DIR/ca: every *.pem there is a CA
#                                                 certificate to trust. EKs: RSA-2048, P-384, and P-256.
# swtpm_start DIR [state]                         sockets DIR/sock and DIR/sock.ctrl, pid in DIR/swtpm.pid;
#                                                 its TCTI is swtpm:path=DIR/sock. state: as after suspend
# swtpm_stop DIR [state|cut]                      an orderly shutdown; returns once the process is gone. state: what
#                                                 comes before suspend; cut: the power fails
# shellcheck shell=bash

SWTPM_SPEC=(--tpm2 --tpm-spec-family 2.0 --tpm-spec-level 0 --tpm-spec-revision 164
	--tpm-manufacturer id:00001014 --tpm-model swtpm --tpm-version id:20191023)

swtpm_manufacture() {
	local dir=$1
	shift
	mkdir -p "$dir/ca" "$dir/certs" || return 1
	# The keys end in .key, so that *.pem are certificates alone.
	cat >"$dir/ca/localca.conf" <<-END
	statedir = $dir/ca
	signingkey = $dir/ca/sign.key
	issuercert = $dir/ca/issuercert.pem
	certserial = $dir/ca/certserial
	END
	cat >"$dir/ca/localca.options" <<-END
	--platform-manufacturer Example
	--platform-version 1.0
	--platform-model Virtual
	END
	cat >"$dir/ca/setup.conf" <<-END
	create_certs_tool = $(command -v swtpm_localca)
	create_certs_tool_config = $dir/ca/localca.conf
	create_certs_tool_options = $dir/ca/localca.options
	active_pcr_banks = sha256
	END
	swtpm_setup --tpm2 --tpm-state "$dir" --config "$dir/ca/setup.conf" \
		--create-ek-cert --create-platform-cert --lock-nvram --overwrite \
		--vmid "${dir##*/}" --write-ek-cert-files "$dir/certs" --logfile "$dir/setup.log" "$@" || return 1
	swtpm_ca_keys "$dir" && swtpm_start "$dir" || return 1
	swtpm_add_p256 "$dir" || { swtpm_stop "$dir"; return 1; }
	swtpm_stop "$dir"
}

# swtpm_localca names its root's key itself: *-key.pem would be taken for a certificate to trust.
swtpm_ca_keys() {
	local pem
	for pem in "$1"/ca/*.pem; do
		if ! grep -q 'BEGIN CERTIFICATE' "$pem"; then
			mv "$pem" "${pem%.pem}.key" || return 1
		fi
	done
}

# swtpm_setup certifies a P-384 key alone beside RSA. Real TPMs have P-256 at 0x01C0000A (template L-2).
# The platform hierarchy may still define it: nothing has set its authorization yet.
swtpm_add_p256() {
	local dir=$1 point
	(
		export TPM2TOOLS_TCTI=swtpm:path=$dir/sock
		mkdir -p "$dir/p256" && cd "$dir/p256" || exit 1
		tpm2_createek -c ek.ctx -G ecc -u ek.pub.pem -f pem && tpm2_flushcontext -t || exit 1
		# A SubjectPublicKeyInfo ends with the uncompressed point.
		point=$(openssl pkey -pubin -in ek.pub.pem -outform der | tail -c 64 | od -An -v -tx1 | tr -d ' \n')
		swtpm_localca --type ek --ek "x=${point:0:64},y=${point:64:64},id=secp256r1" --dir . \
			--vmid "${dir##*/}" --logfile localca.log "${SWTPM_SPEC[@]}" \
			--configfile "$dir/ca/localca.conf" --optsfile "$dir/ca/localca.options" || exit 1
		tpm2_nvdefine 0x01C0000A -C p -s "$(stat -c %s ek.cert)" \
			-a 'ppwrite|writedefine|ppread|ownerread|authread|no_da|platformcreate' >/dev/null &&
		tpm2_nvwrite 0x01C0000A -C p -i ek.cert &&
		tpm2_nvwritelock -C p 0x01C0000A &&
		mv ek.cert "$dir/certs/ek-secp256r1.crt"
	)
}

swtpm_start() {
	local dir=$1 tries=100
	rm -f "$dir/sock" "$dir/sock.ctrl"
	swtpm socket --tpm2 --tpmstate "dir=$dir" --server "type=unixio,path=$dir/sock" \
		--ctrl "type=unixio,path=$dir/sock.ctrl" --pid "file=$dir/swtpm.pid" \
		--log "file=$dir/swtpm.log,level=1" --flags "not-need-init,startup-${2:-clear}" --daemon || return 1
	until [ -S "$dir/sock" ] && [ -s "$dir/swtpm.pid" ]; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

# Without TPM2_Shutdown each stop counts towards the TPM's dictionary-attack lockout.
swtpm_stop() {
	local dir=$1 pid tries=100
	[ -s "$dir/swtpm.pid" ] || return 0
	pid=$(cat "$dir/swtpm.pid")
	case ${2:-clear} in
	clear) TPM2TOOLS_TCTI=swtpm:path=$dir/sock timeout 10 tpm2_shutdown -c 2>/dev/null ;;
	state) TPM2TOOLS_TCTI=swtpm:path=$dir/sock timeout 10 tpm2_shutdown 2>/dev/null ;;
	cut) kill -KILL "$pid" 2>/dev/null ;;
	esac
	kill "$pid" 2>/dev/null
	# The pid file goes before the process does; a zombie that nobody reaps has gone.
	while grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
	rm -f "$dir/swtpm.pid"
}
