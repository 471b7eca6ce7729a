//! Images in use, the most used first. Shows an answer that is known only when all pods were seen.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use podlens_guest::{
    Arguments, Column, Description, Error, Query,
    pods::{self, ListOptions},
    row, rows,
};

struct Images;

/// Most characters of an image that are shown. Arbitrary, and above what a reference of name, tag and digest has; whoever
/// creates a pod can give it more than a cell may hold, and must not keep the others from being shown.
const MAX_IMAGE_CHARACTERS: usize = 1000;

impl Query for Images {
    fn describe() -> Description {
        Description::new("Images", "Images in use, and by how many pods").columns([
            Column::text("image", "The image as written in the pods"),
            Column::integer("pods", "The number of pods that use it").metric(),
            Column::boolean("pinned", "Whether its digest is given, so that it cannot change"),
        ])
    }

    fn run(_: Arguments) -> Result<(), Error> {
        let mut pods_by_image: BTreeMap<String, u32> = BTreeMap::new();
        // What has ended uses nothing any more.
        let options = ListOptions::new().fields("status.phase!=Succeeded,status.phase!=Failed");
        for pod in pods::list(options)? {
            // A set: two containers of one image make one pod that uses it.
            let containers = pod?.spec().containers;
            let images: BTreeSet<_> = containers.into_iter().map(|it| it.image).collect();
            for image in images {
                *pods_by_image.entry(image).or_default() += 1;
            }
        }

        let mut images: Vec<_> = pods_by_image.into_iter().collect();
        // Stable: images of the same number stay in their order.
        images.sort_by_key(|&(_, pods)| Reverse(pods));
        for (image, pods) in images {
            let pinned = is_pinned(&image);
            rows::emit(row![cut(image), pods, pinned])?;
        }
        Ok(())
    }
}

fn is_pinned(image: &str) -> bool {
    image.contains('@')
}

fn cut(image: String) -> String {
    match image.char_indices().nth(MAX_IMAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &image[..end]),
        None => image,
    }
}

podlens_guest::export!(Images);

#[cfg(test)]
mod tests {
    use super::is_pinned;

    #[test]
    fn only_a_digest_pins() {
        assert!(is_pinned("registry.example/web:1.2@sha256:9f86d081884c7d65"));
        assert!(is_pinned("web@sha256:9f86d081884c7d65"));
        assert!(is_pinned("web@sha512:9f86d081884c7d65"));
        assert!(!is_pinned("registry.example:5000/web:sha256"));
        assert!(!is_pinned("web"));
    }
}
