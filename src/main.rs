//! `doorstep`: the one binary. Parses the command line and calls a library.

mod commands;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::commands::LogFormat;

/// Doorstep: the open dispatch-and-ETA engine for food delivery.
///
/// Example: doorstep demo --drivers 300 --speedup 20
#[derive(Parser)]
#[command(
    name = "doorstep",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    /// How log lines are written to standard error [default: text]
    #[arg(
        long,
        global = true,
        value_enum,
        env = "DOORSTEP_LOG_FORMAT",
        value_name = "FORMAT"
    )]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Map(commands::map::MapArgs),
    Route(commands::route::RouteArgs),
    Matrix(commands::matrix::MatrixArgs),
    Nearest(commands::nearest::NearestArgs),
    Isochrone(commands::isochrone::IsochroneArgs),
    RouteServer(commands::route_server::RouteServerArgs),
    Dispatch(commands::dispatch::DispatchArgs),
    ControlPlane(commands::control_plane::ControlPlaneArgs),
    GatewaySandbox(commands::gateway_sandbox::GatewaySandboxArgs),
    Serve(commands::serve::ServeArgs),
    Sim(commands::sim::SimArgs),
    Token(commands::token::TokenArgs),
    TrialOrder(commands::trial_order::TrialOrderArgs),
    Why(commands::why::WhyArgs),
    Assign(commands::assign::AssignArgs),
    Demo(commands::demo::DemoArgs),
    Completions(commands::install::CompletionsArgs),
    Man(commands::install::ManArgs),
    Config(commands::config::ConfigArgs),
}

/// Exit codes: 0 done, 1 the work failed (bad input, a lost order), 2 the command line is wrong (clap's own).
fn main() -> ExitCode {
    let Cli {
        command,
        log_format,
    } = Cli::parse();
    log_format.into_iter().for_each(commands::set_log_format);
    match command {
        // They start it with the level of their settings.
        Command::Dispatch(_) | Command::ControlPlane(_) | Command::Serve(_) => {}
        Command::GatewaySandbox(_) => commands::start_log("info"),
        _ => commands::start_log("warn"),
    }
    doorstep_web::tls::install_provider();
    let outcome = match command {
        Command::Map(args) => commands::map::run(args),
        Command::Route(args) => commands::route::run(args),
        Command::Matrix(args) => commands::matrix::run(args),
        Command::Nearest(args) => commands::nearest::run(args),
        Command::Isochrone(args) => commands::isochrone::run(args),
        Command::RouteServer(args) => commands::route_server::run(args),
        Command::Dispatch(args) => commands::dispatch::run(args),
        Command::ControlPlane(args) => commands::control_plane::run(args),
        Command::GatewaySandbox(args) => commands::gateway_sandbox::run(args),
        Command::Serve(args) => commands::serve::run(args),
        Command::Sim(args) => commands::sim::run(args),
        Command::Token(args) => commands::token::run(args),
        Command::TrialOrder(args) => commands::trial_order::run(args),
        Command::Why(args) => commands::why::run(args),
        Command::Assign(args) => commands::assign::run(args),
        Command::Config(args) => commands::config::run(args),
        Command::Demo(args) => commands::demo::run(args),
        Command::Completions(args) => Ok(commands::install::completions(args, Cli::command())),
        Command::Man(args) => commands::install::man(args, Cli::command()),
    };
    outcome.unwrap_or_else(|error| {
        commands::report(&error);
        ExitCode::from(1)
    })
}
