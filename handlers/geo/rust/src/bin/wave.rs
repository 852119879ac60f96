use geo::{Answer, Error, Event, answer, refuse};
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde::Serialize;

#[derive(Serialize)]
struct Wave {
    lat: String,
    lon: String,
    radius: String,
}

async fn handle(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let Some(r) = event.payload.read().filter(|r| r.point().is_some()) else { return Ok(refuse()) };
    match (r.lat, r.lon, r.radius) {
        (Some(lat), Some(lon), Some(radius)) => Ok(answer(&Wave { lat, lon, radius })),
        _ => Ok(refuse()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
