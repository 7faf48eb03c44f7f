//! What may be typed after `hotpot wallet`.

use clap::{Args, Subcommand};
use domain::consent::Purpose;
use domain::{Address, B256, OutletId, SaleId};
use std::path::PathBuf;
use wallet::{ExtendedPublicKey, HdPath, Role};

/// The node that is asked when none is named.
pub const NODE: &str = "http://127.0.0.1:7000";

/// Actions of `hotpot wallet`.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a wallet: new words, shown once, and an encrypted file of them.
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Make a file of ours from words, from a key in hex, or from a keystore of MetaMask, geth or ethers.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Print addresses of a wallet, or put one of its keys into a file of its own.
    #[command(after_help = DERIVE_EXAMPLES)]
    Derive(DeriveArgs),
    /// List key files with their addresses; needs no password.
    Show(ShowArgs),
    /// Give a key to another program: as a keystore under another password, as hex, or as words.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Sign a transaction or a sale, and print or send it.
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(SignArgs),
    /// Sign the registrar's approval of an outlet: three fields for the founder's register_outlet.
    #[command(after_help = APPROVE_EXAMPLES)]
    Approve(ApproveArgs),
    /// Print what a till prints for a guest: the QR code with which a sale's units are claimed.
    #[command(after_help = RECEIPT_EXAMPLES)]
    Receipt(ReceiptArgs),
    /// Claim the units of a receipt for a wallet.
    #[command(after_help = CLAIM_EXAMPLES)]
    Claim(ClaimArgs),
    /// Sign a guest's consent to a camera, as the terminal that saw it and as the guest.
    #[command(after_help = CONSENT_EXAMPLES)]
    Consent(ConsentArgs),
    /// Answer the request on a guest's phone as the terminal that saw it: prints the code for the guest.
    #[command(after_help = WITNESS_EXAMPLES)]
    Witness(WitnessArgs),
}

const NEW_EXAMPLES: &str = "Examples:
  hotpot wallet new                            asks for a password, writes wallet.json, shows 12 words
  hotpot wallet new --words 24 --out me.json";
const IMPORT_EXAMPLES: &str = "Examples:
  hotpot wallet import --out me.json           asks for the words or the key, then for a password
  hotpot wallet import UTC--2026-11-20T12-00-00Z--f39f… --out me.json
  hotpot wallet import --out me.json --password-file pw < words.txt
  hotpot wallet import --out me.json --ask-bip39-passphrase    words that have a passphrase, the \"25th word\"

Words may be of any list of BIP-39, numbered or not, as hotpot wallet new shows them.";
const DERIVE_EXAMPLES: &str = "Examples:
  hotpot wallet derive me.json --count 5                       the holder's first five addresses
  hotpot wallet derive me.json --role terminal --index 2 --out till-2.json
  hotpot wallet derive me.json --role terminal --xpub          lets another machine list the addresses:
  hotpot wallet derive --from xpub6F… --count 100";
const EXPORT_EXAMPLES: &str = "Examples:
  hotpot wallet export me.json --out metamask.json             one key under a new password
  hotpot wallet export me.json --mnemonic --print              the words, once more
  hotpot wallet export me.json --role owner --raw --out owner.hex";
const SIGN_EXAMPLES: &str = "Examples:
  echo '{\"type\":\"request_payout\",\"account\":\"0x…\"}' | hotpot wallet sign --key me.json --send -
  hotpot wallet sign --key .hotpot/keys/terminal-1.json sale.json | curl --json @- http://127.0.0.1:7000/api/v1/sales
  hotpot wallet sign --key till.json --chain-id 31337 --sidechain-id 0x… sale.json     without a network

docs/PROTOCOL.md lists the fields of every transaction; leave out `signature`, and `nonce` if the node is to be asked.
In a sale `terminal`, `lines_salt` and, for buyer_kind receipt, `buyer` may be left out: they follow from the key.";
const APPROVE_EXAMPLES: &str = "Example:
  hotpot wallet approve --key registrar.json --outlet 7 --owner 0x… --expires-at 2026-12-31T00:00:00Z";
const RECEIPT_EXAMPLES: &str = "Examples:
  hotpot wallet receipt --terminal till.json --outlet 1 --sale-id 00000000000000000000000000000005
  hotpot wallet receipt --terminal till.json --outlet 1 --sale-id 0000…05 --text    for a printer of your own";
const CLAIM_EXAMPLES: &str = "Examples:
  hotpot wallet claim - --wallet 0x… --send     reads the code from standard input, where no other user sees it
  hotpot wallet claim HOTPOT:1/… --wallet 0x…   prints the signed claim for POST /api/v1/transactions";

const CONSENT_EXAMPLES: &str = "Examples:
  hotpot wallet consent --witness till.json --guest guest.json --outlet 7 --camera 3 --purpose recording \\
      --reference 'table 3, guest 1' --salt-file salt.json --send
  hotpot wallet consent --witness till.json --guest-address 0x… --outlet 7 --camera 3 --purpose recording --purpose stream \\
      --reference 'table 3, guest 1' --salt-file salt.json > seen.json      the terminal alone; the guest signs:
  hotpot wallet sign --key guest.json seen.json --send
The salt file is what can show later whose consent it was: keep it with the recordings' keys, destroy it with them.";

const WITNESS_EXAMPLES: &str = "Examples:
  hotpot wallet witness --key till.json HOTPOT-CONSENT:1/…     shows what the guest asks for, prints HOTPOT-WITNESS:1/…
  scanner | hotpot wallet witness --key till.json --outlet 7 -
The guest pastes or scans the answer; salt and reference of the consent stay on the guest's phone.";

/// How a file is opened.
#[derive(Clone, Debug, Default, Args)]
pub struct Unlock {
    /// Holds the file's password; default: a file `passphrase` beside it (as in DIR/keys of hotpot up), else you are asked.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Which key of a wallet.
#[derive(Clone, Debug, Default, Args)]
pub struct Which {
    /// holder (default), founder, guardian, registrar, owner, terminal or validator.
    #[arg(long)]
    pub role: Option<Role>,
    /// The number of the key of this role, from 0.
    #[arg(long, value_parser = clap::value_parser!(u32).range(..1 << 31))]
    pub index: Option<u32>,
    /// A path of your own, such as m/44'/60'/1'/0/0.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["role", "index"])]
    pub path: Option<HdPath>,
}

impl Which {
    /// The path, if one was asked for.
    pub fn path(&self) -> Option<HdPath> {
        let asked = self.role.is_some() || self.index.is_some();
        let scheme = || self.role.unwrap_or_default().path(self.index.unwrap_or(0));
        self.path.clone().or_else(|| asked.then(scheme))
    }
}

/// Which network is signed for.
#[derive(Clone, Debug, Args)]
pub struct NetworkArgs {
    /// The node to ask and to send to (default http://127.0.0.1:7000).
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
    /// The EVM chain; with --sidechain-id nothing is asked, alone it must be the node's.
    #[arg(long, value_name = "N")]
    pub chain_id: Option<u64>,
    /// The sidechain; with --chain-id nothing is asked, alone it must be the node's.
    #[arg(long, value_name = "0x…")]
    pub sidechain_id: Option<B256>,
}

/// `hotpot wallet new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// 12 or 24.
    #[arg(long, default_value_t = 12, value_parser = parse_words)]
    pub words: usize,
    /// The encrypted file to make; it must not exist.
    #[arg(long, default_value = "wallet.json", value_name = "FILE")]
    pub out: PathBuf,
    /// Holds the new password; you are asked for it otherwise.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Print the words even if standard output is no terminal.
    #[arg(long)]
    pub show_mnemonic: bool,
}

/// `hotpot wallet import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Words, hex key or keystore; `-` or nothing: standard input, or a question if that is a terminal.
    pub source: Option<PathBuf>,
    /// The encrypted file to make; it must not exist.
    #[arg(long, default_value = "wallet.json", value_name = "FILE")]
    pub out: PathBuf,
    /// Holds the new password; you are asked for it otherwise.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Holds the password of a keystore that is imported; you are asked for it otherwise.
    #[arg(long, value_name = "FILE")]
    pub source_password_file: Option<PathBuf>,
    /// The words have a passphrase of BIP-39, the "25th word": ask for it.
    #[arg(long, conflicts_with = "bip39_passphrase_file")]
    pub ask_bip39_passphrase: bool,
    /// Holds the passphrase of BIP-39 that the words have, in its first line.
    #[arg(long, value_name = "FILE")]
    pub bip39_passphrase_file: Option<PathBuf>,
}

/// `hotpot wallet derive`.
#[derive(Debug, Args)]
pub struct DeriveArgs {
    /// A wallet with words.
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub wallet: Option<PathBuf>,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    /// Print this many addresses, from --index on.
    #[arg(long, default_value_t = 1, conflicts_with = "path", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: u32,
    /// Print the extended public key of the role: it gives all addresses and signs nothing.
    #[arg(long, conflicts_with_all = ["index", "path", "count", "from", "out"])]
    pub xpub: bool,
    /// Print addresses of an extended public key instead of a wallet's.
    #[arg(long, value_name = "XPUB", conflicts_with_all = ["role", "path", "password_file"])]
    pub from: Option<ExtendedPublicKey>,
    /// Put the key into an encrypted file of its own; it must not exist.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["count", "from"])]
    pub out: Option<PathBuf>,
    /// Holds the password of the file to make; you are asked for it otherwise.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub new_password_file: Option<PathBuf>,
}

/// `hotpot wallet show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Key files, and folders of them.
    #[arg(default_value = ".", value_name = "FILE|FOLDER")]
    pub paths: Vec<PathBuf>,
}

/// `hotpot wallet export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to export from.
    pub key: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    /// The key itself, in hex. Whoever reads it owns it.
    #[arg(long, conflicts_with = "mnemonic")]
    pub raw: bool,
    /// The words. Whoever reads them owns every key of the wallet.
    #[arg(long, conflicts_with_all = ["role", "index", "path"])]
    pub mnemonic: bool,
    /// The file to make, of mode 600; it must not exist.
    #[arg(long, value_name = "FILE", required_unless_present = "print")]
    pub out: Option<PathBuf>,
    /// Print the secret rather than writing a file.
    #[arg(long, conflicts_with = "out")]
    pub print: bool,
    /// Holds the password of the keystore to make; you are asked for it otherwise.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "mnemonic"])]
    pub new_password_file: Option<PathBuf>,
}

/// The nonce of a transaction whose JSON has none.
#[derive(Clone, Copy, Debug)]
pub enum Nonce {
    /// One more than the last one that the node has seen.
    Next,
    /// The number that was given, whatever the node has seen.
    Is(u64),
}

/// `hotpot wallet sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// JSON without `signature`; `-` for standard input.
    pub transaction: PathBuf,
    /// The key that signs.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Where the JSON has none and the transaction needs one: a number, or next, which the node is asked for.
    #[arg(long, default_value = "next", value_parser = parse_nonce)]
    pub nonce: Nonce,
    /// Send it, wait until it is final, and print the answer.
    #[arg(long)]
    pub send: bool,
}

/// `hotpot wallet approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The registrar's key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The number of the new outlet.
    #[arg(long)]
    pub outlet: OutletId,
    /// The account that will own the outlet and enrol its terminals.
    #[arg(long, value_parser = parse_address)]
    pub owner: Address,
    /// When the approval ends, RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = client::parse_time)]
    pub expires_at: u64,
    /// Salted reference to the registrar's file, used once; random without it.
    #[arg(long, value_name = "0x…")]
    pub approval_ref: Option<B256>,
}

/// `hotpot wallet receipt`.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// The terminal that signed the sale.
    #[arg(long, value_name = "FILE")]
    pub terminal: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The outlet that sold.
    #[arg(long)]
    pub outlet: OutletId,
    /// The sale: 32 hex digits.
    #[arg(long, value_name = "HEX")]
    pub sale_id: SaleId,
    /// Only the text of the QR code.
    #[arg(long)]
    pub text: bool,
}

/// `hotpot wallet claim`.
#[derive(Debug, Args)]
pub struct ClaimArgs {
    /// The text of the QR code; `-` for standard input, where no other user of this machine sees it.
    pub code: String,
    /// The account that gets the units.
    #[arg(long, value_name = "0x…", value_parser = parse_address)]
    pub wallet: Address,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Send it, wait until it is final, and print the answer.
    #[arg(long)]
    pub send: bool,
}

/// `hotpot wallet consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// The key of the terminal that saw the guest agree.
    #[arg(long, value_name = "FILE")]
    pub witness: PathBuf,
    /// Holds the password of the terminal's file; default: a file `passphrase` beside it, else you are asked.
    #[arg(long, value_name = "FILE")]
    pub witness_password_file: Option<PathBuf>,
    /// The number of the terminal's key, when its file is a wallet with words.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..1 << 31))]
    pub witness_index: Option<u32>,
    /// The guest's key: a wallet, or one made for this once.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "guest_address",
        conflicts_with = "guest_address"
    )]
    pub guest: Option<PathBuf>,
    /// Only the guest's address: what is printed is then for the guest to sign.
    #[arg(long, value_name = "0x…", value_parser = parse_address, conflicts_with = "send")]
    pub guest_address: Option<Address>,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The number of the outlet whose camera it is.
    #[arg(long)]
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    #[arg(long)]
    pub camera: u64,
    /// recording or stream; twice for both.
    #[arg(long = "purpose", value_name = "WORD", required = true, value_parser = parse_purpose)]
    pub purposes: Vec<Purpose>,
    /// How long it is in force: 1 to 715, so that it reaches a block within twelve hours of its end.
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=715))]
    pub for_minutes: u64,
    /// What guest and table are called where the recordings' keys are kept; it never leaves that place.
    #[arg(long, value_name = "TEXT")]
    pub reference: String,
    /// The file to make with salt, reference and commitment, of mode 600; it must not exist.
    #[arg(long, value_name = "FILE")]
    pub salt_file: PathBuf,
    /// Send it, wait until it is final, and print the answer.
    #[arg(long)]
    pub send: bool,
}

/// `hotpot wallet witness`.
#[derive(Debug, Args)]
pub struct WitnessArgs {
    /// What the guest's phone shows; `-` for standard input.
    pub code: String,
    /// The key of the terminal that sees the guest agree.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Refuse requests for any other outlet.
    #[arg(long, value_name = "N")]
    pub outlet: Option<OutletId>,
}

fn parse_purpose(text: &str) -> Result<Purpose, String> {
    match text {
        "recording" => Ok(Purpose::Recording),
        "stream" => Ok(Purpose::Stream),
        _ => Err(format!("expected recording or stream, found {text:?}")),
    }
}

fn parse_words(text: &str) -> Result<usize, String> {
    match text {
        "12" => Ok(12),
        "24" => Ok(24),
        _ => Err("expected 12 or 24".into()),
    }
}

fn parse_nonce(text: &str) -> Result<Nonce, String> {
    match text {
        "next" => Ok(Nonce::Next),
        _ => text
            .parse()
            .map(Nonce::Is)
            .map_err(|_| format!("expected a number or next, found {text:?}")),
    }
}

/// An address; where it has capitals and small letters its checksum (EIP-55) must be right.
fn parse_address(text: &str) -> Result<Address, String> {
    let address: Address = text
        .parse()
        .map_err(|_| format!("expected 0x and 40 hex digits, found {text:?}"))?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mixed = digits.bytes().any(|b| b.is_ascii_uppercase())
        && digits.bytes().any(|b| b.is_ascii_lowercase());
    if mixed && address.to_string() != format!("0x{digits}") {
        return Err(format!(
            "{text} is mistyped: its checksum is wrong (capitals and small letters, EIP-55)"
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_address_is_noticed() {
        let right = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        assert_eq!(parse_address(right).unwrap().to_string(), right);
        assert!(parse_address(&right.to_lowercase()).is_ok());
        assert!(
            parse_address(&right.replace("92266", "92267"))
                .unwrap_err()
                .contains("checksum")
        );
        assert!(parse_address("0xf39F").is_err());
    }
}
