# shellcheck shell=bash
# Sourced by scripts/bench, after network.sh: sales through the gateway while others make it hard.
# shellcheck disable=SC2034,SC2154 # shared with network.sh and bench

# Connections, of how many addresses; how many of them have to be held all the time.
doors_idle=10000 doors_slow=200 doors_addresses=200 doors_held_min=9000
# Sales a second through the gateway; milliseconds; MB that the gateway ever had.
doors_rate=300 doors_p99_ms_max=1000 doors_mb_max=250
# While a validator stands still: in the first seconds, and later.
nodes_first_seconds=10 nodes_first_p99_ms_max=1500 nodes_p99_ms_max=1000
# How long making all those connections may take.
doors_ready_seconds_max=90
# What a login shell allows: a service that needs more has to see to it.
open_files_usual=1024
doors_pid=

# gateway_mb VmRSS|VmHWM: memory of the gateway now, or the most that it ever had, in MB.
gateway_mb() { awk -v name="$1:" '$1 == name { print int($2 * 1024 / 1000000) }' "/proc/$(network_json .gateway.pid)/status"; }

# hold_connections: sets `doors_pid`; each second a line in `held.jsonl` says how many there are.
hold_connections() {
    local until=$((SECONDS + doors_ready_seconds_max))
    : > "$network_dir/held.jsonl"
    PYTHONPATH=$FAULTS_SRC python3 -m hotpot_faults.hold --door "$(network_json .gateway.http)" \
        --idle $doors_idle --slow $doors_slow --addresses $doors_addresses > "$network_dir/held.jsonl" &
    doors_pid=$!
    until [ "$(held .open)" -ge $((doors_idle * 99 / 100)) ]; do
        kill -0 $doors_pid 2> /dev/null || die "the connections could not be made"
        if [ $SECONDS -ge $until ]; then
            echo "after $doors_ready_seconds_max s there are $(held .open) connections"
            break
        fi
        sleep 1
    done
}

# held FILTER: a figure of the last line.
held() { tail --lines=1 "$network_dir/held.jsonl" | jq "$1 // 0" | grep . || echo 0; }

let_go() {
    [ -n "$doors_pid" ] || return 0
    kill -INT "$doors_pid" 2> /dev/null || true
    wait "$doors_pid" 2> /dev/null || true
    doors_pid=
}

# wait_for_gateway: until it answers what it reads from its database.
wait_for_gateway() {
    until curl --silent --fail --max-time 2 "$(network_json .gateway.http)/api/v1/network" > /dev/null; do sleep 0.5; done
}

bench_doors() {
    # Shorter than an idle connection may stand, so that none has to come again.
    seconds=40
    options "$@"
    prepare
    ulimit -S -n $open_files_usual
    start_network
    wait_for_gateway
    wait_until_idle
    trap 'let_go; stop_network' EXIT
    local before first fewest pid most gateway
    gateway=$(network_json .gateway.http) pid=$(network_json .gateway.pid) before=$(gateway_mb VmRSS)
    say "doors: $doors_rate sales a second through the gateway, nobody else there"
    run $doors_rate 1 8000 --through "$gateway"
    say "doors: the same with $doors_idle idle and $doors_slow slow connections of $doors_addresses addresses"
    hold_connections
    first=$(wc --lines < "$network_dir/held.jsonl")
    run $doors_rate 1 8000 --through "$gateway"
    fewest=$(tail --lines=+"$first" "$network_dir/held.jsonl" | jq --slurp 'map(.open) | min')
    most=$(gateway_mb VmHWM)
    echo "connections: $(held .idle_open) idle, $(held .slow_open) slow at the end; $(held .reopened) came again, $(held .refused) attempts failed"
    verdict "of $((doors_idle + doors_slow)) connections at least $doors_held_min are held all the time: $fewest" \
        "$([ "$fewest" -ge $doors_held_min ] && echo true)"
    verdict "at $doors_rate/s through the gateway, from the intended sending to the answer: p99 at most $doors_p99_ms_max ms, none refused" \
        "$(figure "(.errors | length == 0) and .p99_us <= $doors_p99_ms_max * 1000")"
    verdict "the gateway at most $doors_mb_max MB: $before before, at most $most" "$([ "$most" -le $doors_mb_max ] && echo true)"
    verdict "the gateway is the same process as before" "$([ "$(network_json .gateway.pid)" = "$pid" ] && echo true)"
    let_go
    verdict "afterwards somebody new is answered within a second" \
        "$(curl --silent --fail --max-time 1 --interface 127.9.9.9 "$gateway/api/v1/sales?limit=1" > /dev/null && echo true)"
    stop_network
}

# stopped NODE: sales through the gateway while a validator stands still.
stopped() {
    local pid reporter journal="$network_dir/acknowledged-$1" gateway
    gateway=$(network_json .gateway.http) pid=$(network_json ".nodes[$1].pid")
    wait_until_idle
    say "nodes: $doors_rate sales a second through the gateway, then node $1 stands still"
    "$LOAD" sales --network "$network_dir/net/network.json" --rate $doors_rate --seconds "$seconds" --warmup "$warmup" \
        --through "$gateway" --stretch $nodes_first_seconds --journal "$journal" --json > "$network_dir/report" &
    reporter=$!
    # The warm-up begins with the first answer.
    until [ -s "$journal" ]; do
        kill -0 $reporter 2> /dev/null || die "load could not run"
        sleep 0.05
    done
    sleep "$warmup"
    kill -STOP "$pid"
    frozen=("$pid")
    wait $reporter || true
    kill -CONT "$pid"
    frozen=()
    report=$(< "$network_dir/report")
    [ -n "$report" ] || die "load could not run"
    jq --raw-output '"final \(.final_per_second)/s (seconds from \(.final_per_second_min)), p50 \(.p50_us / 1000 | round
        ) ms, max \(.max_us / 1000 | round) ms, p99 by stretch \(.stretches_p99_us | map(. / 1000 | round) | join(", ")
        ) ms, errors \(.errors | tojson)"' <<< "$report"
    verdict "node $1 stands still, in the first $nodes_first_seconds s: p99 at most $nodes_first_p99_ms_max ms" \
        "$(figure ".stretches_p99_us[0] <= $nodes_first_p99_ms_max * 1000")"
    verdict "afterwards p99 at most $nodes_p99_ms_max ms" \
        "$(figure "(.stretches_p99_us[1:] | length > 0 and max <= $nodes_p99_ms_max * 1000)")"
    verdict "every sale is final" "$(figure '(.errors | length == 0) and .acknowledged == .offered')"
}

bench_nodes() {
    seconds=40
    options "$@"
    prepare
    start_network
    wait_for_gateway
    local node
    # The gateway asks the first of its list first, as long as it answers.
    for node in 0 2; do stopped $node; done
    stop_network
}
