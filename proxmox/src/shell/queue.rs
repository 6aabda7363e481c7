//! Commands that wait for a place on the connection: first come first served within a lane, lanes take turns, so that
//! a guest with hundreds of commands does not keep the others waiting.

use std::collections::VecDeque;

pub(super) struct Queue<T> {
    lanes: VecDeque<(u32, VecDeque<T>)>,
    length: usize,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self { lanes: VecDeque::new(), length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, lane: u32, item: T) {
        self.lane(lane).push_back(item);
        self.length += 1;
    }

    /// Back to where it was taken from: it was not run.
    pub(super) fn put_back(&mut self, lane: u32, item: T) {
        self.lane(lane).push_front(item);
        self.length += 1;
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let (lane, mut items) = self.lanes.pop_front()?;
        let item = items.pop_front();
        if !items.is_empty() {
            self.lanes.push_back((lane, items));
        }
        self.length -= usize::from(item.is_some());
        item
    }

    /// Takes out what no longer waits.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for (_, items) in &mut self.lanes {
            items.retain(|item| keep(item));
        }
        self.lanes.retain(|(_, items)| !items.is_empty());
        self.length = self.lanes.iter().map(|(_, items)| items.len()).sum();
    }

    fn lane(&mut self, lane: u32) -> &mut VecDeque<T> {
        let at = self.lanes.iter().position(|(known, _)| *known == lane).unwrap_or_else(|| {
            self.lanes.push_back((lane, VecDeque::new()));
            self.lanes.len() - 1
        });
        &mut self.lanes[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns() {
        let mut queue = Queue::new();
        for item in ["a1", "a2", "a3"] {
            queue.push(1, item);
        }
        queue.push(2, "b1");
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!((order, queue.len()), (vec!["a1", "b1", "a2", "a3"], 0));
    }

    #[test]
    fn a_returned_item_is_first_in_its_lane() {
        let mut queue = Queue::new();
        queue.push(1, "a1");
        queue.push(1, "a2");
        let first = queue.pop().unwrap();
        queue.put_back(1, first);
        queue.retain(|item| *item != "a2");
        assert_eq!((queue.len(), queue.pop(), queue.pop()), (1, Some("a1"), None));
    }
}
