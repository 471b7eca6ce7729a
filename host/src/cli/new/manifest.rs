//! The SDK's `Cargo.toml` by itself: what it inherits from the workspace is written into it.

use toml::{Table, Value};

/// The manifest of a package without its workspace's. Lints are the workspace's own business, and left out.
pub(super) fn standalone(package: &str, workspace: &str) -> Result<String, toml::de::Error> {
    let mut package: Table = toml::from_str(package)?;
    let workspace: Table = toml::from_str(workspace)?;
    let shared = |name: &str| workspace.get("workspace").and_then(|workspace| workspace.get(name)).and_then(Value::as_table);
    package.remove("lints");
    for (of_package, of_workspace) in [("package", "package"), ("dependencies", "dependencies")] {
        let (Some(Value::Table(table)), Some(shared)) = (package.get_mut(of_package), shared(of_workspace)) else { continue };
        for (key, value) in table.iter_mut() {
            if let Some(shared) = shared.get(key) {
                inherit(value, shared);
            }
        }
    }
    let text = package.to_string();
    Ok(format!("# The SDK of podlens, as it came with the podlens that made this project.\n\n{text}"))
}

/// Puts what the workspace says in the place of `workspace = true`. A dependency may say more than that: its features are added.
fn inherit(value: &mut Value, shared: &Value) {
    let Value::Table(own) = value else { return };
    if own.remove("workspace").is_none() {
        return;
    }
    if own.is_empty() {
        *value = shared.clone();
        return;
    }
    let shared = match shared {
        Value::Table(shared) => shared.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    for (key, shared) in shared {
        match (own.get_mut(&key), shared) {
            (Some(Value::Array(own)), Value::Array(shared)) => own.extend(shared),
            (None, shared) => drop(own.insert(key, shared)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inherited_is_written_out() {
        let package = r#"
            [package]
            name = "sdk"
            version.workspace = true
            [features]
            more = ["dep:b"]
            [dependencies]
            a.workspace = true
            b = { workspace = true, features = ["x"], optional = true }
            c = "3"
            [lints]
            workspace = true
        "#;
        let workspace = r#"
            [workspace.package]
            version = "0.1.0"
            [workspace.dependencies]
            a = { version = "1", features = ["w"] }
            b = "2"
            c = "4"
        "#;
        let expected: Table = toml::from_str(
            r#"
            [package]
            name = "sdk"
            version = "0.1.0"
            [features]
            more = ["dep:b"]
            [dependencies]
            a = { version = "1", features = ["w"] }
            b = { version = "2", features = ["x"], optional = true }
            c = "3"
        "#,
        )
        .expect("it is well-formed");
        let text = standalone(package, workspace).expect("they are well-formed");
        assert_eq!(toml::from_str::<Table>(&text).expect("it is well-formed"), expected, "{text}");
    }
}
