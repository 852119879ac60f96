use geo::{Error, Event, search, table};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &table().await?;
    run(service_fn(|event: LambdaEvent<Event>| async move { search(client, &event.payload, false).await })).await
}
