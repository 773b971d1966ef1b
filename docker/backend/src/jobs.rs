//! Owns the business job: recommendations made by one worker behind a bounded queue. A full queue refuses at once; a worker
//! that hangs shows as failures after a deadline and never as requests that hang with it.

use serde::Serialize;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    clock,
    db::{Database, DbError, recommendations::OpenRisk},
    faults::FaultSettings,
    limits,
    metrics::Metrics,
};

/// One thing to do about one risk.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The risk's id.
    pub risk_id: String,
    /// How bad it is: likelihood times impact times the asset's criticality, 1 to 125.
    pub score: i64,
    /// What to do, in a sentence.
    pub text: String,
}

/// Why there are no recommendations.
#[derive(Debug, Error)]
pub enum JobError {
    /// Too many wait already.
    #[error("the queue of jobs is full")]
    Full,
    /// The worker did not answer in time.
    #[error("the worker did not answer in time")]
    Late,
    /// The worker could not read the risks.
    #[error(transparent)]
    Database(#[from] DbError),
}

struct Job {
    limit: i64,
    answer: oneshot::Sender<Result<Vec<Recommendation>, DbError>>,
}

/// The way to the worker.
pub struct Jobs {
    queue: mpsc::Sender<Job>,
}

impl Jobs {
    /// Starts the worker, which ends when the last `Jobs` is dropped. `faults` can hold it up.
    pub fn start(database: Database, faults: Option<watch::Receiver<FaultSettings>>) -> Self {
        let (queue, jobs) = mpsc::channel(limits::MAX_QUEUED_JOBS);
        tokio::spawn(work(jobs, database, faults));
        Self { queue }
    }

    /// Has the worker make at most `limit` recommendations, and counts what came of it.
    pub async fn generate(&self, limit: i64, metrics: &Metrics) -> Result<Vec<Recommendation>, JobError> {
        let start = clock::steady();
        let outcome = self.submit(limit).await;
        match &outcome {
            Ok(_) => {
                metrics.recommendations_generated.inc();
                metrics.recommendation_seconds.observe(start.elapsed().as_secs_f64());
            }
            Err(_) => _ = metrics.recommendation_failures.inc(),
        }
        outcome
    }

    async fn submit(&self, limit: i64) -> Result<Vec<Recommendation>, JobError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { limit, answer }).map_err(|_| JobError::Full)?;
        match tokio::time::timeout(limits::JOB_DEADLINE, answered).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) | Err(_) => Err(JobError::Late),
        }
    }
}

async fn work(mut jobs: mpsc::Receiver<Job>, database: Database, faults: Option<watch::Receiver<FaultSettings>>) {
    let mut faults = faults;
    while let Some(job) = jobs.recv().await {
        if let Some(faults) = &mut faults {
            // An error means that the switches are gone, and the fault with them.
            _ = faults.wait_for(|settings| !settings.stuck_worker).await;
        }
        if job.answer.is_closed() {
            continue;
        }
        let risks = database.worst_risks(job.limit).await;
        _ = job.answer.send(risks.map(|risks| risks.into_iter().map(recommend).collect()));
    }
}

fn recommend(risk: OpenRisk) -> Recommendation {
    let subject = risk.asset.map_or_else(|| risk.title.clone(), |asset| format!("{} (on {asset})", risk.title));
    let text = match (risk.open_tasks, risk.score) {
        (1.., _) => format!("Finish the {} open task(s) on `{subject}`", risk.open_tasks),
        (_, 40..) => format!("Assign somebody to `{subject}` today"),
        (_, 15..) => format!("Plan a task against `{subject}` this week"),
        _ => format!("Accept or close `{subject}`"),
    };
    Recommendation { risk_id: risk.id, score: risk.score, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(score: i64, open_tasks: i64, asset: Option<&str>) -> String {
        let (id, title) = ("1".to_owned(), "Old kernel".to_owned());
        recommend(OpenRisk { id, title, score, asset: asset.map(str::to_owned), open_tasks }).text
    }

    #[test]
    fn advice_grows_with_the_score_and_begun_work_comes_first() {
        assert_eq!(text(100, 2, None), "Finish the 2 open task(s) on `Old kernel`");
        assert_eq!(text(40, 0, Some("db1")), "Assign somebody to `Old kernel (on db1)` today");
        assert_eq!(text(15, 0, None), "Plan a task against `Old kernel` this week");
        assert_eq!(text(1, 0, None), "Accept or close `Old kernel`");
    }
}
