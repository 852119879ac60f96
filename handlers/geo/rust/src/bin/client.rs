use geo::{Error, answer, client};
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let _client = client().await;
    run(service_fn(|_: LambdaEvent<Value>| async move { Ok::<_, Error>(answer(&json!({ "warm": true }))) })).await
}
