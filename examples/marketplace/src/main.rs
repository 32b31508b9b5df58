//! One command: the marketplace and the trip calendar, with data to look at. It stops in order: no request is cut off, and last uses are
//! written.

use std::error::Error;
use std::net::SocketAddr;

use marketplace::settings::Settings;
use marketplace::start::start;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let settings = Settings::from_env()?;
    let listener = tokio::net::TcpListener::bind(settings.listen).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let started = start(&settings, &url).await?;
    println!("the marketplace is at {url}");
    match &started.calendar {
        Some(calendar) => println!("the trip calendar, an add-in, is at {}", calendar.url()),
        None => println!("the trip calendar was not started: its client ID is not known"),
    }
    println!("its data is in {}", settings.folder.display());
    println!(
        "sign in as seller contoso or fabrikam, as northwind, who has nothing yet, or as operator ann; ctrl-c stops it"
    );

    let service = started.router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(token_endpoint::stop()).await?;
    if let Some(calendar) = started.calendar {
        calendar.stop().await.map_err(|error| error.to_string())?;
    }
    started.registry.flush_last_uses().await?;
    println!("stopped");
    Ok(())
}
