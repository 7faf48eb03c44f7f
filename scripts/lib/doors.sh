# shellcheck shell=bash
# shellcheck disable=SC2154 # which network, node and outlets a walk is about: `doors` sets it
# Sourced by `doors` after common.sh: who signs, how a door is walked through, and what must come of it.

HOTPOT=${HOTPOT:-$TARGET/debug/hotpot}
PATIENCE_S=180
failed=0 walked=0

# What a sale, a refund or an epoch's end may change. `held`: units of accounts, pending or released.
POST_FIELDS='["issued", "reversed", "held", "unclaimed", "pool", "debt", "sales"]'
EPOCH_FIELDS='["issued", "reversed", "pending", "released", "unclaimed", "pool", "debt", "sales"]'

group() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# ---- who signs ------------------------------------------------------------------------------------------------------

# One wallet has every key of a walk but the founder's and the registrar's, which are the network's.
declare -A key_of=(
    [owner]="--role owner --index 0" [franchisee]="--role owner --index 1"
    ['till-1']="--role terminal --index 0" ['till-2']="--role terminal --index 1" ['till-3']="--role terminal --index 2"
    ['till-4']="--role terminal --index 3" [agent]="--role terminal --index 4"
    [guest]="--role holder --index 0" [thief]="--role holder --index 1"
    [stranger]="--role holder --index 2" [member]="--role holder --index 3"
)
declare -A address_of

make_wallet() {
    (umask 077 && head --bytes=24 /dev/urandom | base64 > passphrase)
    "$HOTPOT" wallet new --out wallet.json --password-file passphrase > /dev/null 2>&1
    local who
    for who in "${!key_of[@]}"; do
        # shellcheck disable=SC2086 # several words
        address_of[$who]=$("$HOTPOT" wallet derive wallet.json ${key_of[$who]})
    done
}

# sign WHO NAME JSON: the signed transaction is in NAME.json.
sign() {
    local key=(--key wallet.json)
    # shellcheck disable=SC2206 # several words
    case $1 in
    founder | registrar) key=(--key "$data/keys/$1.json") ;;
    *) key+=(${key_of[$1]}) ;;
    esac
    "$HOTPOT" wallet sign - "${key[@]}" --node "$node" <<< "$3" > "$2.json"
}

# changed NAME FILTER: what was signed, changed and without its signature, to be signed anew.
changed() { jq --compact-output "$2 | del(.signature)" "$1.json"; }

# sale TILL NAME OUTLET TOTAL BUYER_KIND [SECONDS_AGO]: its id follows from its name.
sale() {
    sign "$1" "$2" "$(jq --null-input --compact-output --arg id "$(id_of "$2")" --argjson outlet "$3" --argjson total "$4" \
        --arg kind "$5" --argjson ago "${6:-0}" --arg member "${address_of[member]}" '
        {$outlet, sale_id: $id, occurred_at: (now - $ago | todate), currency: "GEL", $total,
         lines: [{sku: "khinkali", name: "ხინკალი", quantity: 1, unit_price: $total}], buyer_kind: $kind}
        + if $kind == "wallet" then {buyer: $member} else {} end')"
}

# refund WHO NAME SALE_NAME OUTLET AMOUNT
refund() {
    sign "$1" "$2" "$(jq --null-input --compact-output --arg sale "$(id_of "$3")" --arg id "$(id_of "$2")" \
        --argjson outlet "$4" --argjson amount "$5" \
        '{type: "refund", $outlet, sale_id: $sale, refund_id: $id, $amount}')"
}

id_of() { md5sum <<< "$1" | cut --characters=1-32; }

# ---- doors ----------------------------------------------------------------------------------------------------------

# door WHO WHAT NAME STATUS [CODE|- [EFFECT...]]: posts NAME.json to where it belongs. An effect is like issued+100;
# what is not named must stay as it was.
door() {
    local path=/api/v1/transactions
    if jq --exit-status 'has("lines")' "$3.json" > /dev/null; then path=/api/v1/sales; fi
    knock "$1" "$2" "$path" "$3" "${@:4}"
}

# knock WHO WHAT PATH NAME STATUS [CODE|- [EFFECT...]]: the same with any path and any bytes in NAME.json.
knock() {
    local before after answer status
    before=$(supply)
    answer=$(curl --silent --show-error --write-out '\n%{http_code}' --json "@$4.json" "$base$3")
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
    wait_for_height "$(jq '.height // 0' <<< "$answer")"
    after=$(supply)
    report "$1" "$2" "curl --json @$4.json $base$3" "$answer" "$status" "$5" "${6:--}" "$before" "$after" "$POST_FIELDS" "${@:7}"
}

# look WHO WHAT PATH STATUS [CODE]: a GET changes nothing. What is not there yet is asked for again.
look() {
    local before answer status deadline=$((SECONDS + PATIENCE_S))
    before=$(supply)
    while :; do
        answer=$(curl --silent --show-error --write-out '\n%{http_code}' "$base$3")
        status=${answer##*$'\n'} answer=${answer%$'\n'*}
        if [ "$status" = "$4" ] || [ "$4" != 200 ] || [ $SECONDS -gt $deadline ]; then break; fi
        sleep 0.3
    done
    report "$1" "$2" "curl $base$3" "$answer" "$status" "$4" "${5:--}" "$before" "$before" "$POST_FIELDS"
}

# epoch_ends WHAT EFFECT...: waits until nothing is pending; the effects are those since the `supply` in $since.
epoch_ends() {
    quiet
    report time "$1" "curl $node/api/v1/supply" '{}' 200 200 - "$since" "$(supply)" "$EPOCH_FIELDS" "${@:2}"
}

# ---- the ledger -----------------------------------------------------------------------------------------------------

supply() { curl --silent --fail "$node/api/v1/supply" | jq --compact-output '. + {held: (.pending + .released)}'; }

# The door may have been another node's: its block comes here a moment later.
wait_for_height() {
    local deadline=$((SECONDS + PATIENCE_S))
    until [ "$(supply | jq .height)" -ge "$1" ]; do
        [ $SECONDS -lt $deadline ] || die "$node does not reach height $1"
        sleep 0.05
    done
}

# Waits until nothing is pending and the epoch has just begun: then what follows comes before its end.
quiet() {
    local deadline=$((SECONDS + PATIENCE_S)) status
    while :; do
        status=$(curl --silent "$node/readyz")
        if [ "$(supply | jq .pending)" = 0 ] && jq --exit-status --argjson n "$epoch_blocks" \
            '.busy == false and .height % $n < $n / 2' <<< "$status" > /dev/null; then return; fi
        [ $SECONDS -lt $deadline ] || die "the network does not come to rest: $status"
        sleep 0.2
    done
}

# effects_of_refund SALE_NAME OUTLET AMOUNT: what the protocol says that this refund does now.
effects_of_refund() {
    curl --silent --fail "$node/api/v1/sales/$2/$(id_of "$1")" | jq --raw-output --argjson amount "$3" \
        --argjson total "$(jq .total "$1.json")" '
        # Whole parts first, then one each to the largest remainders, the earlier share first among equal ones.
        def apportion($units): add as $sum
            | to_entries | map({key, part: ($units * .value / $sum | floor), rest: ($units * .value % $sum)})
            | ($units - (map(.part) | add)) as $left
            | sort_by(-.rest, .key) | to_entries
            | map(.value.part += (if .key < $left then 1 else 0 end) | .value) | sort_by(.key) | map(.part);
        def place: if .kind != "account" then {receipt: "unclaimed-", pool: "pool-"}[.kind]
            elif .released then "debt+" else "held-" end;
        ((.issued * (.refunded + $amount) / $total | floor) - (.shares | map(.reversed) | add)) as $units
        | [.shares, (.shares | map(.units - .reversed) | apportion($units))] | transpose
        | group_by(.[0] | place) | map("\(.[0][0] | place)\(map(.[1]) | add)") + ["reversed+\($units)"] | .[]'
}

# ---- what came of it ------------------------------------------------------------------------------------------------

# report WHO WHAT COMMAND ANSWER STATUS WANTED_STATUS WANTED_CODE BEFORE AFTER FIELDS EFFECT...
report() {
    local who=$1 what=$2 command=$3 answer=$4 status=$5 wanted_status=$6 wanted_code=$7 before=$8 after=$9 fields=${10}
    local code wrong
    code=$(jq --raw-output '(.type? // "") | select(startswith("urn:hotpot:problem:")) | split(":") | last' <<< "$answer")
    walked=$((walked + 1))
    printf '%-10s %-62s %s %s\n           %s\n' "$who" "$what" "$status" "$code" "$command"
    [ "$answer" = '{}' ] || printf '           %s\n' "$(shortly <<< "$answer")"
    moves "$before" "$after"
    wrong=$(differences "$before" "$after" "$fields" "${@:11}")
    [ "$status" = "$wanted_status" ] || wrong="status $status, expected $wanted_status. $wrong"
    [ "${code:--}" = "$wanted_code" ] || wrong="code ${code:--}, expected $wanted_code. $wrong"
    if [ -n "$wrong" ]; then
        failed=$((failed + 1))
        printf '\033[1;31m           WRONG: %s\033[0m\n' "$wrong"
    fi
}

shortly() {
    jq --raw-output --compact-output 'if type != "object" then . elif has("detail") then .detail
        elif has("shares") then {status, height, issued, not_issued, refunded, shares: [.shares[] |
            "\(.kind) \(.units)\(if .reversed > 0 then " −\(.reversed)" else "" end)\(if .released then " released" else "" end)"]}
        elif has("transaction") or has("id") then {id, status, height} else . end
        | if type == "object" then with_entries(select(.value != null)) else . end' 2> /dev/null | cut --characters=1-180
}

moves() {
    jq --null-input --raw-output --argjson before "$1" --argjson after "$2" '
        ["issued", "reversed", "released", "pending", "unclaimed", "pool", "debt"]
        | map(select($before[.] != $after[.]) | "\(.) \($before[.]) → \($after[.])")
        | if . == [] then empty else "           \(join(", "))" end'
}

# differences BEFORE AFTER FIELDS EFFECT...: what is not as expected, and whether the sums still agree.
differences() {
    jq --null-input --raw-output --argjson before "$1" --argjson after "$2" --argjson fields "$3" '
        ($ARGS.positional | map(capture("^(?<key>[a-z]+)(?<value>[+-][0-9]+)$") | .value |= (ltrimstr("+") | tonumber))
            | from_entries) as $wanted
        | ($fields | map(($after[.] - $before[.]) as $found | ($wanted[.] // 0) as $want | select($found != $want)
            | "\(.) by \($found), expected \($want)."))
        + ($after | if .held + .unclaimed + .pool - .debt == .issued - .reversed then [] else ["The sums do not agree."] end)
        | join(" ")' --args "${@:4}"
}
