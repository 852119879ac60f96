use aws_sdk_dynamodb::types::AttributeValue;
use geo::{Answer, Error, Event, answer, cells, refuse, said, table};
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde::Serialize;

#[derive(Serialize)]
struct Saved {
    pk: String,
    sk: String,
    gpk: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &table().await?;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let Some(r) = event.payload.read() else { return Ok(refuse()) };
        let (Some((lat, lon)), Some(owner), Some(name)) = (r.point(), &r.owner, &r.name) else { return Ok(refuse()) };
        let (pk, sk) = (format!("RT:{owner}"), format!("{name}#{}", event.context.request_id));
        let gpk = cells(lat, lon).swap_remove(0);
        let gsk = format!("{pk}:{sk}");
        let mut put = client.put_item().table_name("geo");
        for (field, value) in [
            ("pk", &pk),
            ("sk", &sk),
            ("gpk", &gpk),
            ("gsk", &gsk),
            ("owner", owner),
            ("name", name),
            ("lat", r.lat.as_ref().unwrap()),
            ("lon", r.lon.as_ref().unwrap()),
        ] {
            put = put.item(field, AttributeValue::S(value.clone()));
        }
        put.send().await.map_err(said)?;
        Ok::<Answer, Error>(answer(&Saved { pk, sk, gpk }))
    }))
    .await
}
