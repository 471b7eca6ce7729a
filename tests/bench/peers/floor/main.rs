//! The floor: what no client goes below that asks the API server for one page after the other. It has the TLS and HTTP of podlens, asks
//! for the same pages, and drops what comes, but for the token of the next page.
//!
//!     podlens-bench-floor pods|metadata [NAMESPACE]
//!
//! It prints `pages N`. Of kubeconfigs it knows the benchmark's own, which is JSON.

use std::error::Error;
use std::{env, fs};

use reqwest::header::{ACCEPT, AUTHORIZATION};
use reqwest::{Certificate, Client, Url, redirect};
use serde_json::Value;

/// Pods of one page, as every competitor asks for.
const PAGE_SIZE: &str = "500";

/// What podlens asks for: whole pods.
const PODS: &str = "application/vnd.kubernetes.protobuf";

/// The least that tells names.
const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// How much of a page's beginning is kept. The list's own metadata is there, and about 250 bytes long.
const BEGINNING_BYTES: usize = 4 << 10;

/// What a server may send ahead, for all of HTTP/2: more than a page, so that it never waits for a window.
const WINDOW_BYTES: u32 = 16 << 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let accept = match arguments.next().as_deref() {
        Some("pods") => PODS,
        Some("metadata") => METADATA,
        other => return Err(format!("asked for {other:?}; it can be `pods` or `metadata`").into()),
    };
    let server = Server::of_kubeconfig()?;
    let path = match arguments.next() {
        Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
        None => "/api/v1/pods".to_owned(),
    };
    let mut token = String::new();
    let mut pages = 0;
    loop {
        let beginning = server.page(&path, &token, accept).await?;
        pages += 1;
        token = continue_token(&beginning).ok_or("the page does not begin as a list in protobuf does")?;
        if token.is_empty() {
            break;
        }
    }
    #[expect(clippy::print_stdout, reason = "this is its answer")]
    {
        println!("pages {pages}");
    }
    Ok(())
}

struct Server {
    client: Client,
    address: Url,
    authorization: String,
}

impl Server {
    fn of_kubeconfig() -> Result<Self> {
        let file = env::var_os("KUBECONFIG").ok_or("`KUBECONFIG` is not set")?;
        let config: Value = serde_json::from_slice(&fs::read(file)?)?;
        let cluster = &config["clusters"][0]["cluster"];
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("the kubeconfig is not the benchmark's own");
        // Fails when there is one already, which is then as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .tls_certs_only([Certificate::from_pem(&fs::read(text(&cluster["certificate-authority"])?)?)?])
            .http2_initial_stream_window_size(WINDOW_BYTES)
            .http2_initial_connection_window_size(WINDOW_BYTES)
            .build()?;
        let token = text(&config["users"][0]["user"]["token"])?;
        Ok(Self { client, address: text(&cluster["server"])?.parse()?, authorization: format!("Bearer {token}") })
    }

    /// Reads a page to its end, and returns its beginning.
    async fn page(&self, path: &str, token: &str, accept: &str) -> Result<Vec<u8>> {
        let mut url = self.address.join(path)?;
        url.query_pairs_mut().append_pair("limit", PAGE_SIZE);
        if !token.is_empty() {
            url.query_pairs_mut().append_pair("continue", token);
        }
        let request = self.client.get(url).header(ACCEPT, accept).header(AUTHORIZATION, &self.authorization);
        let mut response = request.send().await?.error_for_status()?;
        let mut beginning = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let missing = BEGINNING_BYTES.saturating_sub(beginning.len());
            beginning.extend_from_slice(&chunk[..missing.min(chunk.len())]);
        }
        Ok(beginning)
    }
}

/// The token of the next page; empty where there is none. A list begins with `k8s\0`, and then is `Unknown`, whose field 2 is the list
/// (`runtime/generated.proto`), whose field 1 is `ListMeta`, whose field 3 is the token (`meta/v1/generated.proto`).
fn continue_token(beginning: &[u8]) -> Option<String> {
    let unknown = beginning.strip_prefix(b"k8s\0")?;
    let metadata = field(1, field(2, unknown)?)?;
    String::from_utf8(field(3, metadata)?.to_vec()).ok()
}

/// The field of this number, as much of it as is there; empty where there is none. All fields before it have to be of bytes.
fn field(wanted: u64, mut message: &[u8]) -> Option<&[u8]> {
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let length = usize::try_from(varint(&mut message)?).ok()?;
        // Wire type 2: a length, and as many bytes.
        if key & 7 != 2 {
            return None;
        }
        if key >> 3 == wanted {
            return Some(&message[..length.min(message.len())]);
        }
        message = message.get(length..)?;
    }
    Some(&[])
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::continue_token;

    #[test]
    fn the_token_is_found_in_the_beginning_of_a_page() {
        let type_meta = b"\x0a\x0d\x0a\x02v1\x12\x07PodList";
        let list_meta = b"\x0a\x0d\x0a\x00\x12\x0212\x1a\x03abc\x20\x07";
        // The list is 300 bytes long, of which the beginning is there.
        let page = |meta: &[u8]| [b"k8s\0", &type_meta[..], b"\x12\xac\x02", meta, b"\x12\x90\x01\x0a"].concat();
        assert_eq!(continue_token(&page(list_meta)).as_deref(), Some("abc"));
        assert_eq!(continue_token(&page(b"\x0a\x08\x0a\x00\x12\x0212\x1a\x00")).as_deref(), Some(""));
        assert_eq!(continue_token(b"{\"kind\":\"PodList\"}"), None);
    }
}
