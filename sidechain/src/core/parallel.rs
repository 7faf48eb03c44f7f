//! The same work for many things, on all cores.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// Fewer things than this are not worth another thread: each takes some ten microseconds, as does a thread.
const PART_MIN: usize = 32;

/// What `work` makes of each item, in their order.
pub fn map<T: Sync, U: Send>(items: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let part = items.len().div_ceil(cores).max(PART_MIN);
    let Some((own, others)) = items
        .split_at_checked(part)
        .filter(|(_, others)| !others.is_empty())
    else {
        return items.iter().map(work).collect();
    };
    let work = &work;
    let worked = |part: &[T]| part.iter().map(work).collect::<Vec<U>>();
    std::thread::scope(|scope| {
        let spawned: Vec<_> = others
            .chunks(part)
            .map(|part| (part, scope.spawn(move || worked(part))))
            .collect();
        let mut all: Vec<U> = own.iter().map(work).collect();
        for (part, thread) in spawned {
            // A thread that died leaves its part to this one, which then says why.
            all.extend(thread.join().unwrap_or_else(|_| worked(part)));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_however_many_there_are() {
        for count in [0, 1, PART_MIN, PART_MIN + 1, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                map(&items, |item| item * 2),
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }
}
