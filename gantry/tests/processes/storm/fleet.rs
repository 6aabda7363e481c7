//! The processes, and where callers find those that answer.

use rand::{RngExt as _, rngs::StdRng};

use crate::caller::Caller;
use crate::ground::{Backend, Ground};
use crate::processes::Process;

pub(super) struct Fleet {
    /// Those that answer, with their addresses.
    apis: Vec<(Process, String)>,
    workers: Vec<Process>,
    caller: Caller,
}

/// One of the processes.
#[derive(Clone, Copy)]
pub(super) enum One {
    Api(usize),
    Worker(usize),
}

impl Fleet {
    pub(super) async fn launch(ground: &Ground, caller: Caller) -> Self {
        let mut fleet = Self { apis: Vec::new(), workers: Vec::new(), caller };
        let (apis, workers) = if ground.backend == Backend::Sqlite { (1, 0) } else { (2, 3) };
        for _ in 0..apis {
            fleet.apis.push(Self::api(ground).await);
        }
        fleet.workers.extend((0..workers).map(|_| Process::worker(ground)));
        fleet.tell();
        fleet
    }

    async fn api(ground: &Ground) -> (Process, String) {
        match ground.backend {
            Backend::Sqlite => Process::serve(ground).await,
            Backend::Postgres => Process::api(ground).await,
        }
    }

    fn tell(&self) {
        self.caller.turn_to_all(self.apis.iter().map(|(_, url)| url.clone()).collect());
    }

    /// Rather a worker, when there is one.
    pub(super) fn any(&self, random: &mut StdRng) -> One {
        let workers = self.workers.len();
        if workers > 0 && random.random_bool(0.75) {
            return One::Worker(random.random_range(0..workers));
        }
        One::Api(random.random_range(0..self.apis.len()))
    }

    pub(super) fn process(&mut self, one: One) -> &mut Process {
        match one {
            One::Api(at) => &mut self.apis[at].0,
            One::Worker(at) => &mut self.workers[at],
        }
    }

    /// Whoever is gone has another take its place.
    pub(super) async fn all_up(&mut self, ground: &Ground) {
        for worker in &mut self.workers {
            if worker.is_gone() {
                *worker = Process::worker(ground);
            }
        }
        for api in &mut self.apis {
            if api.0.is_gone() {
                *api = Self::api(ground).await;
            }
        }
        self.tell();
    }

    /// All are asked to end; who does not do so in order is told of.
    pub(super) fn end(mut self) -> Vec<String> {
        let all = || self.apis.iter().map(|(process, _)| process).chain(&self.workers);
        all().for_each(Process::ask_to_end);
        let all = self.apis.iter_mut().map(|(process, _)| process).chain(&mut self.workers);
        let codes = all.map(Process::ended).filter(|code| *code != 0);
        codes.map(|code| format!("a process that was asked to end did so with {code}")).collect()
    }
}
