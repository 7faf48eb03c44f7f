# shellcheck shell=bash
# Sourced after common.sh and network.sh by `bench`: a network of CometBFT validators with its own key-value application.

COMETBFT_VERSION=v0.38.19
cometbft_dir=
cometbft_pids=()

# install_cometbft: sets `cometbft` to the program; false when it can be neither found nor built.
install_cometbft() {
    local folder="${XDG_CACHE_HOME:-$HOME/.cache}/hotpot/cometbft-$COMETBFT_VERSION"
    cometbft=$folder/cometbft
    [ -x "$cometbft" ] && return
    command -v go > /dev/null || PATH=$PATH:/usr/local/go/bin
    command -v go > /dev/null || return 1
    say "building CometBFT $COMETBFT_VERSION"
    GOBIN=$folder go install "github.com/cometbft/cometbft/cmd/cometbft@$COMETBFT_VERSION" 2> /dev/null
}

# No outgoing connection takes one of these in between.
free_port() { PYTHONPATH=$FAULTS_SRC python3 -c 'from hotpot_faults.machine import free_port; print(free_port())'; }

# start_cometbft VALIDATORS: their RPC addresses are in `cometbft_urls`. The least time of a height is that of our own
# network, its mempool holds as many transactions, and the checks of the application are its own: none.
start_cometbft() {
    cometbft_dir=$(mktemp --directory) cometbft_urls=() cometbft_pids=()
    trap stop_cometbft EXIT
    trap 'exit 130' INT TERM
    local number home id peers="" p2p=() rpc=()
    "$cometbft" testnet --v "$1" --o "$cometbft_dir" > /dev/null
    for ((number = 0; number < $1; number++)); do
        p2p+=("$(free_port)") rpc+=("$(free_port)")
        id=$("$cometbft" show-node-id --home "$cometbft_dir/node$number")
        peers+="${peers:+,}$id@127.0.0.1:${p2p[number]}"
    done
    for ((number = 0; number < $1; number++)); do
        home=$cometbft_dir/node$number
        sed --in-place \
            -e "s|^laddr = \"tcp://127.0.0.1:26657\"|laddr = \"tcp://127.0.0.1:${rpc[number]}\"|" \
            -e "s|^laddr = \"tcp://0.0.0.0:26657\"|laddr = \"tcp://127.0.0.1:${rpc[number]}\"|" \
            -e "s|^laddr = \"tcp://0.0.0.0:26656\"|laddr = \"tcp://127.0.0.1:${p2p[number]}\"|" \
            -e "s|^persistent_peers = .*|persistent_peers = \"$peers\"|" \
            -e 's|^addr_book_strict = .*|addr_book_strict = false|' \
            -e 's|^allow_duplicate_ip = .*|allow_duplicate_ip = true|' \
            -e 's|^pprof_laddr = .*|pprof_laddr = ""|' \
            -e 's|^timeout_commit = .*|timeout_commit = "100ms"|' \
            -e 's|^max_request_batch_size = .*|max_request_batch_size = 500|' \
            -e 's|^max_open_connections = .*|max_open_connections = 0|' \
            -e 's|^size = 5000$|size = 8000|' \
            -e 's|^max_subscription_clients = .*|max_subscription_clients = 20000|' \
            "$home/config/config.toml"
        "$cometbft" start --home "$home" --proxy_app kvstore --log_level error > "$home/log" 2>&1 &
        cometbft_pids+=($!)
        cometbft_urls+=("http://127.0.0.1:${rpc[number]}")
    done
    until [ "$(curl --silent "${cometbft_urls[0]}/status" | jq '(.result.sync_info.latest_block_height // "0") | tonumber > 2')" = true ]; do
        kill -0 "${cometbft_pids[0]}" 2> /dev/null || die "CometBFT ended: $(tail --lines=3 "$cometbft_dir/node0/log")"
        sleep 0.2
    done
}

stop_cometbft() {
    trap - EXIT
    local pid
    for pid in "${cometbft_pids[@]}"; do kill -INT "$pid" 2> /dev/null || true; done
    for pid in "${cometbft_pids[@]}"; do wait "$pid" 2> /dev/null || true; done
    rm --recursive --force "$cometbft_dir"
}
