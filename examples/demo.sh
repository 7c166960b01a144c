#!/usr/bin/env bash
# A cluster of three real nodes on this machine, shown at work: builds Starling, runs the nodes on loopback in a temporary
# directory, and exits non-zero if anything that it says turns out not to be so. With --keep it leaves the cluster running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

keep=
case "${1-}" in
--keep) keep=yes ;;
"") ;;
*)
	echo "usage: $0 [--keep]" >&2
	exit 2
	;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/starling-demo.XXXXXX")
bin=$work/starling
declare -A pid=()
nodes=(a b c)

cleanup() {
	local status=$?
	if [[ -n $keep && $status -eq 0 ]]; then
		return
	fi
	for n in "${!pid[@]}"; do kill "${pid[$n]}" 2>/dev/null || true; done
	for n in "${!pid[@]}"; do wait "${pid[$n]}" 2>/dev/null || true; done
	if [[ $status -ne 0 ]]; then
		echo >&2
		echo "The demo failed. The last lines of the nodes' logs:" >&2
		tail -n 5 "$work"/*.log >&2 || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '   %s\n' "$*"; }
fail() {
	printf 'NOT SO: %s\n' "$*" >&2
	exit 1
}
on() { # run a command of one node
	local n=$1
	shift
	"$bin" --data "$work/data-$n" "$@"
}
dir() { echo "$work/services-$1"; }

# save NODE NAME TEXT: as an editor does, whole, by a rename.
save() {
	printf '%s\n' "$3" >"$(dir "$1")/.$2.tmp"
	mv "$(dir "$1")/.$2.tmp" "$(dir "$1")/$2"
}

# until_so SECONDS WHAT TEST...: polls without a pause, so that the times are true.
until_so() {
	local limit=$1 what=$2 begun=$SECONDS
	shift 2
	until "$@"; do
		((SECONDS - begun < limit)) || fail "after $limit s still not: $what"
	done
}
holds() { # NODE NAME TEXT
	local text=
	{ IFS= read -r -d '' text <"$(dir "$1")/$2" || true; } 2>/dev/null
	[[ $text == "$3"$'\n' ]]
}
gone() { [[ ! -e $(dir "$1")/$2 ]]; }
ready() { grep -q 'msg=ready' "$work/$1.log"; }
since() { # the milliseconds since a time of EPOCHREALTIME
	local us=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
	printf '%d.%d ms' $((us / 1000)) $((us % 1000 / 100))
}
start() {
	: >"$work/$1.log"
	"$bin" --data "$work/data-$1" run >>"$work/$1.log" 2>&1 &
	pid[$1]=$!
	until_so 20 "node $1 is ready" ready "$1"
}
stop() { # NODE SIGNAL
	kill "-$2" "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null || true
	unset "pid[$1]"
}
quietly_equal() { on a verify >/dev/null 2>&1; }
equal() { until_so 20 "all nodes hold the same" quietly_equal; }
service() { # ID NAME DESCRIPTION [THEME]
	printf '{\n  // %s is kept by the web team\n  "@class": "org.apereo.cas.services.CasRegisteredService",\n  "serviceId": "^https://%s[.]example[.]org/.*",\n  "name": "%s",\n  "id": %d,\n  "description": "%s",\n  "theme": "%s"\n}' "$2" "$2" "$2" "$1" "$3" "${4-plain}"
}

say "Building Starling"
go build -trimpath -o "$bin" ./cmd/starling
note "$("$bin" version | head -n 1)"

say "Node a makes a cluster out of the three services in its directory"
for n in "${nodes[@]}"; do mkdir "$(dir "$n")"; done
save a Portal-1.json "$(service 1 Portal 'Staff and students')"
save a Wiki-2.json "$(service 2 Wiki 'The wiki')"
save a Old-3.json "$(service 3 Old 'On its way out')"
on a init --dir "$(dir a)" --name a --listen /ip4/127.0.0.1/tcp/0 >/dev/null 2>&1
start a

say "Nodes b and c join with a token that is good for two nodes"
on a invite --uses 2 --out "$work/token" 2>/dev/null
for n in b c; do
	on "$n" join --dir "$(dir "$n")" --name "$n" --listen /ip4/127.0.0.1/tcp/0 "$work/token" >/dev/null 2>&1
	start "$n"
done
equal
on a peers | sed 's/^/   /'

say "A service is saved on node a"
text=$(service 1 Portal 'Staff, students and guests')
begun=$EPOCHREALTIME
save a Portal-1.json "$text"
until_so 10 "the edit is on b" holds b Portal-1.json "$text"
note "on b after $(since "$begun")"
until_so 10 "the edit is on c" holds c Portal-1.json "$text"
note "on c after $(since "$begun")"

say "Any node may edit: now one on node c, straight into the cluster, without the file"
text=$(service 2 Wiki 'The wiki, for everybody')
begun=$EPOCHREALTIME
on c put Wiki-2.json --note 'opened to everybody' <<<"$text" >/dev/null 2>&1
for n in a b c; do until_so 10 "the edit is on $n" holds "$n" Wiki-2.json "$text"; done
note "on all three after $(since "$begun"), the command's own start with it"

say "A deletion stays deleted, though a node was away: c stops, a deletes a service, c comes back with its old file"
stop c TERM
rm "$(dir a)/Old-3.json"
until_so 10 "the service is gone on b" gone b Old-3.json
gone c Old-3.json && fail "c should have its old file still"
start c
until_so 20 "the service is gone on c" gone c Old-3.json
equal
for n in a b c; do gone "$n" Old-3.json || fail "the deleted service came back on $n"; done
note "c deleted it too; nobody brought it back"

say "A node is killed in the middle of its work, and catches up"
stop b KILL
for i in {10..29}; do save a "App-$i.json" "$(service "$i" "App" "application $i")"; done
text=$(service 29 App 'application 29')
start b
until_so 20 "b has what it missed" holds b App-29.json "$text"
equal
note "b has the 20 services that were made while it was dead"

say "Two nodes that are apart edit other fields of the same service"
stop b TERM
text=$(service 2 Wiki 'The wiki, for everybody, edited on a' plain)
save a Wiki-2.json "$text"
until_so 10 "the edit of a is on c" holds c Wiki-2.json "$text"
save b Wiki-2.json "$(service 2 Wiki 'The wiki, for everybody' dark)"
start b
equal
text=$(service 2 Wiki 'The wiki, for everybody, edited on a' dark)
for n in a b c; do holds "$n" Wiki-2.json "$text" || fail "the edits are not merged on $n"; done
note "all three have both edits, the comment is in its place, and there is no conflict:"
sed 's/^/   | /' "$(dir c)/Wiki-2.json"

say "Two nodes that are apart edit the same field"
stop b TERM
on_a=$(service 1 Portal 'edited on a while b was away')
on_b=$(service 1 Portal 'edited on b while it was away, later')
save a Portal-1.json "$on_a"
until_so 10 "the edit of a is on c" holds c Portal-1.json "$on_a"
save b Portal-1.json "$on_b"
start b
equal
for n in a b c; do holds "$n" Portal-1.json "$on_b" || fail "the later edit does not stand on $n"; done
note "all three agree on the later edit; the earlier one is listed, not lost:"
on a log Portal-1.json | sed 's/^/   /'
found=
for change in $(on a -o json log Portal-1.json | grep -o '"id": *"[a-z2-7]\{52\}"' | grep -o '[a-z2-7]\{52\}'); do
	if [[ $(on a cat "Portal-1.json@$change") == "$on_a" ]]; then found=$change; fi
done
[[ -n $found ]] || fail "the losing edit cannot be read"
note "starling cat Portal-1.json@${found:0:12} still prints it"

say "Apart, one node deletes, renames and creates what the other edits and creates: an edit follows a rename, what overlaps is listed"
stop b TERM
rm "$(dir a)/App-10.json"
mv "$(dir a)/App-11.json" "$(dir a)/Renamed-11.json"
save a New-50.json "$(service 50 New 'made on a')"
until_so 20 "c has the deletion" gone c App-10.json
until_so 20 "c has the rename" gone c App-11.json
until_so 20 "c has the new service" test -e "$(dir c)/New-50.json"
for i in 10 11; do save b "App-$i.json" "$(service "$i" App 'edited on b')"; done
save b New-50.json "$(service 50 New 'made on b')"
start b
equal
for n in a b c; do
	holds "$n" Renamed-11.json "$(service 11 App 'edited on b')" || fail "the edit has not followed the file to its new name on $n"
	gone "$n" App-11.json || fail "the old name is back on $n"
done
overlaps="App-10.json deletion
New-50.json edits
Portal-1.json edits"
listed() { on "$1" conflicts | awk 'NR > 1 { print $1, $2 }'; }
lists() { [[ $(listed "$1") == "$2" ]]; }
for n in a b c; do lists "$n" "$overlaps" || fail "$n lists $(listed "$n")"; done
on c conflicts | sed 's/^/   /'

say "CAS saves files again on its own, without their comments: that closes no conflict. A resolution on one node closes it on all"
text=$(grep -v // "$(dir c)/Portal-1.json")
printf '%s\n' "$text" >"$(dir c)/Portal-1.json"
until_so 20 "a has what was saved again" holds a Portal-1.json "$text"
equal
for n in a b c; do lists "$n" "$overlaps" || fail "after the file was saved again, $n lists $(listed "$n")"; done
on b resolve '**' --merged --note 'looked at in the demo' --wait >/dev/null
equal
for n in a b c; do on "$n" conflicts --exit-code | sed "s/^/   $n: /" || fail "a conflict is open on $n"; done

say "What the operator sees"
on a status | sed 's/^/   /'
echo
on a log --limit 6 | sed 's/^/   /'
echo
on a verify | sed 's/^/   /' || fail "the nodes are not equal"

for n in b c; do diff -r --exclude=.starling "$(dir a)" "$(dir "$n")" >/dev/null || fail "the directories of a and $n differ"; done
say "All three directories are equal, byte for byte."

if [[ -n $keep ]]; then
	cat <<END

The cluster goes on. To play with it:
   ls $work/services-*                 the three directories: edit files in any of them
   $bin --data $work/data-a status     and peers, ls, log, cat, put, rm, verify; data-b, data-c for the others
   kill ${pid[*]}; rm -rf $work         to end it
END
fi
