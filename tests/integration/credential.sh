#!/bin/bash
# credential.sh - a TPM gives back the secret of our credential, for its own key alone, with each kind of EK.
set -u
SOURCE=${srcdir:-.}
# shellcheck source=tests/integration/swtpm.sh
. "$SOURCE/tests/integration/swtpm.sh"

for tool in swtpm swtpm_setup swtpm_localca tpm2_createek tpm2_activatecredential openssl; do
	command -v "$tool" >/dev/null || { echo "SKIP: no $tool"; exit 77; }
done
MAKE=$PWD/tests/integration/make_credential
DIR=$(mktemp -d "${TMPDIR:-/tmp}/credential.XXXXXX") || exit 1
trap 'swtpm_stop "$DIR/tpm"; rm -rf "$DIR"' EXIT
failed=0

# bad WORDS: what did not hold
bad() { echo "FAIL: $*"; failed=1; }

# A session that has satisfied the low range's policy; the high range's EKs want an empty password.
session() {
	tpm2_startauthsession --policy-session -S session.ctx &&
		tpm2_policysecret -S session.ctx -c e >/dev/null
}

# activate AK-CONTEXT AUTH BLOB
activate() {
	local auth=$2 status
	if [ "$auth" = policy ]; then
		session >/dev/null || return 1
		auth=session:session.ctx
	fi
	tpm2_activatecredential -c "$1" -C ek.ctx -P "$auth" -i "$3" -o secret >activate.log 2>&1
	status=$?
	if [ "$2" = policy ]; then
		tpm2_flushcontext session.ctx
		rm -f session.ctx
	fi
	tpm2_flushcontext -t
	return $status
}

# key NAME: an attestation key
key() {
	tpm2_createak -C ek.ctx -c "$1.ctx" -G ecc -g sha256 -s ecdsa -n "$1.name" >/dev/null && tpm2_flushcontext -t
}

# try ALGORITHM AUTH
try() {
	local alg=$1 auth=$2 want got
	mkdir "$DIR/$alg" && cd "$DIR/$alg" || { bad "$alg: no folder"; return; }
	if ! tpm2_createek -c ek.ctx -G "$alg" -u ek.pub || ! tpm2_flushcontext -t; then
		bad "$alg: no EK"
		return
	fi
	if ! key ak || ! key other; then
		bad "$alg: no AK"
		return
	fi
	want=$("$MAKE" ek.pub ak.name blob) || { bad "$alg: credential"; return; }
	activate ak.ctx "$auth" blob || { bad "$alg: the TPM refused: $(cat activate.log)"; return; }
	got=$(od -An -v -tx1 secret | tr -d ' \n')
	[ "$got" = "$want" ] || bad "$alg: another secret came back"
	rm -f secret
	activate other.ctx "$auth" blob && bad "$alg: another key than the named one got the secret"
	[ -e secret ] && bad "$alg: a secret came out"
	[ $failed -ne 0 ] || echo "ok: $alg"
}

mkdir "$DIR/tpm"
swtpm_manufacture "$DIR/tpm" >"$DIR/manufacture.log" 2>&1 || { cat "$DIR/manufacture.log"; exit 99; }
swtpm_start "$DIR/tpm" || exit 99
# shellcheck disable=SC2031  # swtpm.sh sets its own in a subshell
export TPM2TOOLS_TCTI=swtpm:path=$DIR/tpm/sock
try rsa policy
try ecc policy
try ecc384 ''
exit $failed
