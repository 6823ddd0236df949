# shellcheck shell=bash
# json.sh - holds what a command printed against attest-json(7): no member is missing, none unknown, each of its type. Sourced.

# json_page SECTION: "path<TAB>types<TAB>optional" for each of its rows.
json_page() {
	awk -v want="$1" '
		/^\.Ss / { on = substr($0, 5) == want }
		on && /^\.It Li / {
			split(substr($0, 8), f, / Ta /); types = f[2]; optional = sub(/, may be missing$/, "", types)
			gsub(/ or /, "|", types); print f[1] "\t" types "\t" optional }' "$top_srcdir/man/attest-json.7"
}

# json_paths: of the JSON on standard input, each "path<TAB>type", null and empty things included.
json_paths() {
	jq -r '[paths as $p | {
		p: ($p | map(if type == "number" then "[]" else . end) | join(".") | gsub("\\.\\[\\]"; "[]")),
		t: (getpath($p) | if type == "array" then "list" elif type == "boolean" then "flag" elif type == "string" then
		    (if test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$") then "time" else "text" end) else type end) }]
		| unique | .[] | [.p, .t] | @tsv'
}

# json_differs SECTION: what is wrong with the JSON on standard input; nothing, if nothing is.
json_differs() {
	local have page
	page=$(json_page "$1")
	[ -n "$page" ] || { echo "attest-json.7 has no section $1"; return; }
	have=$(json_paths) && [ -n "$have" ] || { echo "$1: not JSON, or empty"; return; }
	awk -F '\t' -v name="$1" '
		function parent(p) { if (p ~ /\[\]$/) return substr(p, 1, length(p) - 2); return sub(/\.[^.]*$/, "", p) ? p : "" }
		function fits(t, types,   n, i, a) {
			n = split(types, a, "|")
			for (i = 1; i <= n; i++) if (a[i] == t || (a[i] == "text" && t == "time")) return 1
			return 0 }
		FNR == NR { types[$1] = $2; optional[$1] = $3; next }
		{ there[$1] = 1; full[$1] = full[$1] "|" $2
		  row = $1
		  if (!(row in types)) { row = parent($1) ".*" }
		  if (!(row in types)) { print name ": " $1 " is not in attest-json.7"; next }
		  if (!fits($2, types[row])) print name ": " $1 " is " $2 ", and attest-json.7 says " types[row] }
		END { for (p in types) {
			if (p in there || optional[p] || p ~ /[*]$/ || p ~ /\[\]$/) continue
			up = parent(p)
			if (up == "" || (up in there && full[up] ~ /object/)) print name ": " p " is missing" } }
	' <(printf '%s\n' "$page") <(printf '%s\n' "$have")
}
