# shellcheck shell=bash disable=SC2034  # sourced: the words are used elsewhere
# shell.sh - what tests in shell have in common: what they need, what they wait for, what they count. Sourced, by bash.
passed=0 failed=0

# needs PROGRAM...: without one of them there is no test here.
needs() {
	local p
	for p; do
		command -v "$p" >/dev/null || { echo "SKIP: no $p here"; exit 77; }
	done
}

# is <what> <got> <wanted>
is() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'NOT OK: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}
