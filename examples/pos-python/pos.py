"""A till: signs one sale and posts it to a node or a gateway. See README.md and docs/PROTOCOL.md."""

import json
import os
import re
import secrets
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from eth_account import Account
from eth_account.messages import encode_typed_data

ATTEMPTS = 8
ZERO_ADDRESS = "0x" + "00" * 20


def fields(text):
    return [dict(zip(("type", "name"), field.split(), strict=True)) for field in text.split(",")]


LINES = {
    "SaleLines": fields("bytes32 salt,Line[] lines"),
    "Line": fields("string sku,string name,uint32 quantity,uint64 unitPrice"),
}
SALE = {
    "Sale": fields(
        "uint64 outlet,address terminal,bytes16 saleId,uint64 occurredAt,string currency,"
        "uint64 total,bytes32 linesHash,uint8 buyerKind,address buyer"
    )
}


def sign_sale(terminal, network, outlet, lines, wallet=None):
    """The sale as `POST /api/v1/sales` takes it. With a wallet, 49 of its 100 units go there; else to all holders."""
    sale_id, salt, at_ms = secrets.token_bytes(16), secrets.token_bytes(32), time.time_ns() // 10**6
    total = sum(line["quantity"] * line["unit_price"] for line in lines)
    typed = [
        {
            "sku": line["sku"],
            "name": line["name"],
            "quantity": line["quantity"],
            "unitPrice": line["unit_price"],
        }
        for line in lines
    ]
    buyer = wallet or ZERO_ADDRESS
    domain = {
        "name": "HotPot",
        "version": "1",
        "chainId": network["chain_id"],
        "salt": bytes.fromhex(network["sidechain_id"][2:]),
    }
    signed = terminal.sign_message(
        encode_typed_data(
            domain,
            SALE,
            {
                "outlet": outlet,
                "terminal": terminal.address,
                "saleId": sale_id,
                "occurredAt": at_ms,
                "currency": network["currency"],
                "total": total,
                "buyerKind": 1 if wallet else 0,
                "buyer": buyer,
                "linesHash": encode_typed_data({}, LINES, {"salt": salt, "lines": typed}).body,
            },
        )
    )
    at = datetime.fromtimestamp(at_ms / 1000, timezone.utc).isoformat(timespec="milliseconds")
    return {
        "outlet": outlet,
        "terminal": terminal.address,
        "sale_id": sale_id.hex(),
        "occurred_at": at,
        "currency": network["currency"],
        "total": total,
        "lines": lines,
        "lines_salt": "0x" + salt.hex(),
        "buyer_kind": "wallet" if wallet else "none",
        "buyer": buyer,
        "signature": "0x" + bytes(signed.signature).hex(),
    }


def post(url, sale):
    """Posts until there is an answer. The body stays the same, so it is one sale however often it arrives."""
    body = json.dumps(sale).encode()
    last: Exception | None = None
    for attempt in range(1, ATTEMPTS + 1):
        wait_s = min(2 ** (attempt - 1), 10)
        try:
            with urlopen(
                Request(url + "/api/v1/sales", body, {"content-type": "application/json"}),
                timeout=60,
            ) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            if refused.code < 500:
                return refused.code, json.load(refused)
            wait_s, last = int(refused.headers.get("retry-after", wait_s)), refused
        except (URLError, OSError, ValueError) as lost:
            last = lost
        if attempt < ATTEMPTS:
            time.sleep(wait_s)
    raise RuntimeError(f"no answer after {ATTEMPTS} attempts, the last: {last}")


def network_of(url, outlet):
    """What must be known to sign: both chains' ids and the outlet's currency."""

    def get(path):
        with urlopen(url + path, timeout=30) as answer:
            return json.load(answer)

    outlets = {one["outlet"]: one for one in get("/api/v1/outlets")}
    if outlet not in outlets:
        raise ValueError(f"outlet {outlet} is not registered; there are {sorted(outlets)}")
    return {
        "chain_id": get("/api/v1/genesis")["evm_chain_id"],
        "currency": outlets[outlet]["currency"],
        "sidechain_id": get("/api/v1/blocks/latest")["header"]["sidechain_id"],
    }


def read_key(file, passphrase_file):
    """The terminal's key, from a Web3 keystore."""
    return Account.from_key(
        Account.decrypt(Path(file).read_text(), Path(passphrase_file).read_text().strip())
    )


def parse_line(text):
    """`khinkali:2:849` is two khinkali at 8.49."""
    match = re.fullmatch(r"([^:]+):(\d+):(\d+)(?::(.+))?", text)
    if not match:
        raise ValueError(
            f"{text} is no line; a line is SKU:QUANTITY:UNIT_PRICE[:NAME], "
            "the price in the smallest unit, such as khinkali:2:849"
        )
    sku, quantity, price, name = match.groups()
    return {"sku": sku, "name": name or sku, "quantity": int(quantity), "unit_price": int(price)}


def main(arguments):
    key_file = os.environ.get("POS_KEY_FILE")
    if not key_file or not arguments:
        raise ValueError(
            "usage: POS_KEY_FILE=… [POS_URL=…] [POS_OUTLET=1] [POS_BUYER=0x…] python pos.py khinkali:2:849 …"
        )
    url, outlet = (
        os.environ.get("POS_URL", "http://127.0.0.1:8080"),
        int(os.environ.get("POS_OUTLET", "1")),
    )
    lines = [parse_line(text) for text in arguments]
    terminal = read_key(
        key_file, os.environ.get("POS_PASSPHRASE_FILE", Path(key_file).parent / "passphrase")
    )
    sale = sign_sale(terminal, network_of(url, outlet), outlet, lines, os.environ.get("POS_BUYER"))
    status, answer = post(url, sale)
    print(
        json.dumps(
            {"outlet": outlet, "sale_id": sale["sale_id"], "status": status, "answer": answer}
        )
    )
    return 0 if status < 300 else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"pos: {error}")
