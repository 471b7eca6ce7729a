//! How old the pods are. Shows the wall clock, and rows that are there whatever was counted, so that
//! a series of measurements has no gaps.

use std::time::{SystemTime, UNIX_EPOCH};

use podlens_guest::{
    Arguments, Column, Description, Error, Parameter, Query,
    pods::{self, ListOptions},
    row,
    rows::{self, Cell},
};

struct AgeHistogram;

/// From a rollout that is going on to what no rollout has touched for months.
const BOUNDS: &str = "10m,1h,6h,1d,7d,30d,90d";
/// Arbitrary; bounds the rows of an answer.
const MAX_BOUNDS: usize = 100;

impl Query for AgeHistogram {
    fn describe() -> Description {
        Description::new("Age histogram", "How old the pods are")
            .columns([
                Column::text("age", "The bucket: how long ago its pods were created"),
                Column::integer("pods", "The number of pods of this age").metric(),
                Column::number("share", "Their part of all pods, 0 to 1"),
                Column::time("oldest", "When the oldest of them was created"),
            ])
            .parameters([
                Parameter::text("bounds", "Where a bucket ends and the next begins: ages with s, m, h, d or w").default(BOUNDS)
            ])
    }

    fn run(arguments: Arguments) -> Result<(), Error> {
        let bounds: String = arguments.get("bounds")?;
        let mut buckets = buckets(&bounds)?;
        // Only a source that is no API server has pods without it.
        let mut unknown = Bucket::new("unknown", 0);
        let now = now();
        for pod in pods::list(ListOptions::new())? {
            match pod?.metadata().created {
                // The clocks of a cluster differ: what was created in a moment to come is new.
                Some(created) => bucket(&mut buckets, now.saturating_sub(created)).count(Some(created)),
                None => unknown.count(None),
            }
        }

        if unknown.pods > 0 {
            buckets.push(unknown);
        }
        let all: u32 = buckets.iter().map(|bucket| bucket.pods).sum();
        for bucket in buckets {
            // To three places, as a person reads it.
            let share = (f64::from(bucket.pods) / f64::from(all.max(1)) * 1000.0).round() / 1000.0;
            rows::emit(row![bucket.age, bucket.pods, share, bucket.oldest.map(Cell::Time)])?;
        }
        Ok(())
    }
}

/// Pods of about the same age.
struct Bucket {
    age: String,
    /// The least age in it, in seconds.
    from: i64,
    pods: u32,
    oldest: Option<i64>,
}

impl Bucket {
    fn new(age: impl Into<String>, from: i64) -> Self {
        Self { age: age.into(), from, pods: 0, oldest: None }
    }

    fn count(&mut self, created: Option<i64>) {
        self.pods += 1;
        self.oldest = self.oldest.into_iter().chain(created).min();
    }
}

/// Empty buckets: up to the first bound, between two of them, and from the last one on.
fn buckets(bounds: &str) -> Result<Vec<Bucket>, Error> {
    let texts: Vec<&str> = bounds.split(',').map(str::trim).collect();
    let wrong = |text: &str| {
        Error::InvalidArgument(format!("`bounds` has `{text}`, expected rising ages such as `10m,1h,1d`, at most {MAX_BOUNDS}"))
    };
    if texts.len() > MAX_BOUNDS {
        return Err(wrong(&format!("{} ages", texts.len())));
    }
    let mut buckets = vec![Bucket::new(format!("<{}", texts[0]), i64::MIN)];
    for (index, text) in texts.iter().enumerate() {
        let from = seconds(text).filter(|from| *from > buckets[index].from.max(0)).ok_or_else(|| wrong(text))?;
        let age = texts.get(index + 1).map_or_else(|| format!(">={text}"), |next| format!("{text}-{next}"));
        buckets.push(Bucket::new(age, from));
    }
    Ok(buckets)
}

/// The bucket of an age in seconds.
fn bucket(buckets: &mut [Bucket], age: i64) -> &mut Bucket {
    // The first one begins before all ages.
    let next = buckets.partition_point(|bucket| bucket.from <= age);
    &mut buckets[next - 1]
}

/// An age such as `90s`, `10m`, `6h`, `1d` or `2w`, in seconds.
fn seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse::<i64>().ok().filter(|_| is_number)?.checked_mul(unit)
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

podlens_guest::export!(AgeHistogram);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_older_bucket() {
        let mut buckets = buckets("10m, 1h").unwrap();
        for (age, expected) in
            [(i64::MIN, "<10m"), (-5, "<10m"), (0, "<10m"), (599, "<10m"), (600, "10m-1h"), (3599, "10m-1h"), (3600, ">=1h")]
        {
            assert_eq!(bucket(&mut buckets, age).age, expected, "{age}");
        }
    }

    #[test]
    fn bounds_rise() {
        let many = vec!["1s"; MAX_BOUNDS + 1].join(",");
        let wrong = ["", "1h,", "0s", "1h,60m", "1d,1h", "1", "h", "-1h", "+1h", "1.5h", "1y", "1é", "99999999999999999d", &many];
        for wrong in wrong {
            assert_eq!(
                buckets(wrong).map(|_| ()).map_err(|error| error.to_string().starts_with("invalid argument: `bounds` has `")),
                Err(true)
            );
        }
        let ages = |bounds| buckets(bounds).map(|buckets| buckets.into_iter().map(|bucket| bucket.age).collect::<Vec<_>>());
        assert_eq!(ages("90s, 2m,1w"), Ok(["<90s", "90s-2m", "2m-1w", ">=1w"].map(str::to_owned).to_vec()));
    }
}
