//! `hotpot migrate`: the schema of all services, from `migrations/`.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use sqlx::migrate::{Migrate, MigrationType, Migrator};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

/// Actions of `hotpot migrate`.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Apply what is missing.
    Up(DatabaseArgs),
    /// Undo the newest migration. Every migration that can be undone says how; others refuse.
    Down(DatabaseArgs),
    /// Say what is applied and what is missing.
    Status(DatabaseArgs),
}

/// The database to migrate, by its URL or by a file that holds the URL.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// The database as `postgres://user:password@host/name`; other users of this machine can read it in the process
    /// list.
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "database_url_file"
    )]
    pub database_url: Option<String>,
    /// The same, read from a file, so that it appears in no process list.
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_url_file: Option<PathBuf>,
}

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Runs what was typed.
pub async fn run(command: MigrateCommand) -> Result<ExitCode> {
    match command {
        MigrateCommand::Up(args) => migrate_up(&database_url(&args)?).await?,
        MigrateCommand::Down(args) => migrate_down(&database_url(&args)?).await?,
        MigrateCommand::Status(args) => print_status(&database_url(&args)?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn database_url(args: &DatabaseArgs) -> Result<String> {
    match (&args.database_url, &args.database_url_file) {
        (Some(url), _) => Ok(url.clone()),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("read {}", file.display()))?;
            Ok(text.trim().to_owned())
        }
        (None, None) => bail!("--database-url or --database-url-file is needed"),
    }
}

/// Applies what is missing.
pub async fn migrate_up(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("connect to the database")?;
    MIGRATIONS
        .run(&mut connection)
        .await
        .context("migrate the database")?;
    Ok(())
}

async fn applied_versions(connection: &mut PgConnection) -> Result<BTreeSet<i64>> {
    let table = &MIGRATIONS.table_name;
    connection.ensure_migrations_table(table).await?;
    Ok(connection
        .list_applied_migrations(table)
        .await?
        .into_iter()
        .map(|migration| migration.version)
        .collect())
}

async fn migrate_down(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("connect to the database")?;
    let applied = applied_versions(&mut connection).await?;
    let Some(newest) = applied.last().copied() else {
        bail!("nothing is applied")
    };

    let undo = MIGRATIONS
        .iter()
        .any(|m| m.version == newest && m.migration_type == MigrationType::ReversibleDown);
    if !undo {
        bail!("migration {newest} cannot be undone; restore a backup instead");
    }

    let before = applied.iter().rev().nth(1).copied().unwrap_or(0);
    MIGRATIONS
        .undo(&mut connection, before)
        .await
        .context("undo the newest migration")?;
    Ok(())
}

async fn print_status(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("connect to the database")?;
    let applied = applied_versions(&mut connection).await?;

    for migration in MIGRATIONS
        .iter()
        .filter(|m| m.migration_type != MigrationType::ReversibleDown)
    {
        let state = if applied.contains(&migration.version) {
            "applied"
        } else {
            "missing"
        };
        println!(
            "{:>5}  {state}  {}",
            migration.version, migration.description
        );
    }

    Ok(())
}
