//! What the functions share: the event, the answer, the cells of a map, the table. ../README.md has the rules.
use aws_sdk_dynamodb::{Client, error::DisplayErrorContext, types::AttributeValue};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub type Error = lambda_runtime::Error;

#[derive(Deserialize)]
pub struct Event {
    pub body: Option<String>,
}

#[derive(Deserialize, Default)]
pub struct Request {
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub lat: Option<String>,
    #[serde(default)]
    pub lon: Option<String>,
    #[serde(default)]
    pub radius: Option<String>,
}

#[derive(Serialize)]
pub struct Answer {
    #[serde(rename = "statusCode")]
    pub status: u16,
    pub body: String,
}

pub fn answer(body: &impl Serialize) -> Answer {
    Answer { status: 200, body: serde_json::to_string(body).expect("text and numbers are JSON") }
}

/// The answer to a request that lacks something.
pub fn refuse() -> Answer {
    Answer { status: 400, body: r#"{"message":"bad request"}"#.into() }
}

impl Event {
    pub fn read(&self) -> Option<Request> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }
}

impl Request {
    /// Latitude and longitude in degrees.
    pub fn point(&self) -> Option<(f64, f64)> {
        Some((number(&self.lat, 90.0)?, number(&self.lon, 180.0)?))
    }
    /// The radius in metres.
    pub fn metres(&self) -> Option<f64> {
        number(&self.radius, 1e9)
    }
}

fn number(text: &Option<String>, most: f64) -> Option<f64> {
    text.as_deref()?.parse().ok().filter(|n: &f64| n.abs() <= most)
}

/// The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate.
fn hash(x: u32, y: u32) -> String {
    let mut bits = 0;
    for i in (0..10).rev() {
        bits = bits << 2 | (x >> i & 1) << 1 | (y >> i & 1);
    }
    (0..4).rev().map(|i| b"0123456789bcdefghjkmnpqrstuvwxyz"[(bits >> (5 * i) & 31) as usize] as char).collect()
}

/// The cell of a point and its eight neighbours: from the centre to the north, then clockwise.
pub fn cells(lat: f64, lon: f64) -> Vec<String> {
    let x = ((lon + 180.0) / 360.0 * 1024.0).floor().min(1023.0) as u32;
    let y = ((lat + 90.0) / 180.0 * 1024.0).floor().min(1023.0) as u32;
    [(0, 0), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
        .map(|(dx, dy)| hash(x.wrapping_add_signed(dx) & 1023, y.wrapping_add_signed(dy) & 1023))
        .into()
}

/// Metres between two points. It ignores the earth's curve, which is exact enough for some 10 km.
fn distance((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64)) -> f64 {
    const DEGREE: f64 = 111194.93;
    ((lat2 - lat1) * DEGREE).hypot((lon2 - lon1) * DEGREE * lat1.to_radians().cos())
}

/// A client that has made no call.
pub async fn client() -> Client {
    Client::new(&aws_config::from_env().retry_config(aws_config::retry::RetryConfig::disabled()).load().await)
}

/// A client of the table that has made its first call: INIT has more CPU than invocations have.
pub async fn table() -> Result<Client, Error> {
    let client = client().await;
    touch(&client).await?;
    Ok(client)
}

/// Reads an item that is not there.
pub async fn touch(client: &Client) -> Result<(), Error> {
    let nil = || AttributeValue::S("nil".into());
    client.get_item().table_name("geo").key("pk", nil()).key("sk", nil()).send().await.map_err(said)?;
    Ok(())
}

pub fn said<E: std::error::Error + Send + Sync + 'static>(e: E) -> Error {
    format!("{}", DisplayErrorContext(e)).into()
}

#[derive(Serialize)]
struct Found {
    name: String,
    lat: String,
    lon: String,
}

#[derive(Serialize)]
struct Search {
    count: usize,
    items: Vec<Found>,
}

/// Answers a search: nine queries, one after the other or at once.
pub async fn search(client: &Client, event: &Event, at_once: bool) -> Result<Answer, Error> {
    let Some((r, centre, metres)) = event.read().and_then(|r| Some((r.point()?, r.metres()?)).map(|(p, m)| (r, p, m))) else {
        return Ok(refuse());
    };
    let Some(owner) = &r.owner else { return Ok(refuse()) };
    let query = |cell: String| async move {
        let out = client
            .query()
            .table_name("geo")
            .index_name("geo-index")
            .key_condition_expression("gpk = :g and begins_with(gsk, :o)")
            .expression_attribute_values(":g", AttributeValue::S(cell))
            .expression_attribute_values(":o", AttributeValue::S(format!("RT:{owner}:")))
            .send()
            .await
            .map_err(said)?;
        Ok::<_, Error>(out.items.unwrap_or_default())
    };
    let cells = cells(centre.0, centre.1);
    let mut pages = Vec::new();
    if at_once {
        pages = futures_util::future::try_join_all(cells.into_iter().map(query)).await?;
    } else {
        for cell in cells {
            pages.push(query(cell).await?);
        }
    }
    let mut items = Vec::new();
    for item in pages.into_iter().flatten() {
        let (lat, lon) = (text(&item, "lat"), text(&item, "lon"));
        if distance(centre, (lat.parse()?, lon.parse()?)) <= metres {
            items.push(Found { name: text(&item, "name"), lat, lon });
        }
    }
    Ok(answer(&Search { count: items.len(), items }))
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> String {
    item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default()
}
