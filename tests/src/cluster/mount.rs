//! A pod's service account mount, as its kubelet keeps it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;

/// A folder like a pod's `/var/run/secrets/kubernetes.io/serviceaccount`. Deleted on drop.
///
/// The files are links through `..data`, a link to a folder named for the time. A new content is a new folder and a
/// renamed `..data`, so that a reader sees all of the old or all of the new, as long as it opens files one at a time (see
/// `pkg/volume/util/atomic_writer.go` of Kubernetes 1.37). The files themselves never change: a watch on one sees nothing.
#[derive(Debug)]
pub struct Mount {
    folder: TempDir,
    token: String,
    ca_pem: String,
    namespace: String,
}

impl Mount {
    /// A mount with this content. `Cluster::mount` makes one from a real token.
    pub fn new(token: &str, ca_pem: &str, namespace: &str) -> Self {
        let mount = Self {
            folder: tempfile::Builder::new().prefix("podlens-mount-").tempdir().expect("the temporary folder is writable"),
            token: token.to_owned(),
            ca_pem: ca_pem.to_owned(),
            namespace: namespace.to_owned(),
        };
        mount.write();
        for file in ["token", "ca.crt", "namespace"] {
            symlink(Path::new("..data").join(file), mount.path().join(file)).expect("the folder is new");
        }
        mount
    }

    /// The folder that holds `token`, `ca.crt` and `namespace`.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Swaps the token, as a kubelet does before the old one expires.
    pub fn rotate(&mut self, token: &str) {
        token.clone_into(&mut self.token);
        self.write();
    }

    /// Swaps the CA bundle, as a kubelet does when the cluster's changes. Any text is accepted, as by a kubelet.
    pub fn rotate_ca(&mut self, ca_pem: &str) {
        ca_pem.clone_into(&mut self.ca_pem);
        self.write();
    }

    fn write(&self) {
        let data = self.path().join("..data");
        let old = fs::read_link(&data).ok();
        let new = tempfile::Builder::new()
            .prefix(&Timestamp::now().strftime("..%Y_%m_%d_%H_%M_%S.").to_string())
            .tempdir_in(self.path())
            .expect("the folder is writable")
            .keep();
        for (file, content) in [("token", &self.token), ("ca.crt", &self.ca_pem), ("namespace", &self.namespace)] {
            fs::write(new.join(file), content).expect("the folder is writable");
        }
        let swap = self.path().join("..data_tmp");
        symlink(new.file_name().expect("it was just named"), &swap).expect("the last swap renamed its link");
        fs::rename(&swap, &data).expect("a rename inside one folder succeeds");
        if let Some(old) = old {
            fs::remove_dir_all(self.path().join(old)).expect("nothing else writes there");
        }
    }
}
