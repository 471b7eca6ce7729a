//! Fields that come twice: as the path of a file, and as the file's content in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::options::set;
use crate::config::origin::Entry;
use crate::config::{Origin, Pem};
use crate::error::{Error, Kind};

/// The file or the data; both is an error, as with client-go's validation.
pub(super) fn one_of(
    file: (&'static str, &Option<String>),
    data: (&'static str, &Option<String>),
    entry: &Entry,
) -> Result<Option<Pem>, Error> {
    match (set(file.1), set(data.1)) {
        (None, None) => Ok(None),
        (Some(path), None) => Ok(Some(Pem::File(entry.folder().join(path)))),
        (None, Some(encoded)) => {
            // As Go's decoder does, line breaks within are passed over.
            let encoded: Vec<u8> = encoded.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            let text = STANDARD.decode(encoded).map_err(|_| {
                // The decoder's own text would tell a byte of what may be a key.
                Error::new(Kind::Configuration, format!("`{}` of {entry} is not base64", data.0))
            })?;
            Ok(Some(Pem::Inline { text: text.into(), field: data.0, origin: Origin::Kubeconfig(entry.clone()) }))
        }
        (Some(_), Some(_)) => {
            let message = format!("`{}` and `{}` of {entry} are both set", file.0, data.0);
            Err(Error::new(Kind::Configuration, message).hint("remove one of them"))
        }
    }
}
