//! From the arguments of each command to the flags of a plan.

use super::{RunArgs, SmokeArgs, ValidateArgs};
use crate::plan::{Flags, ValidationFlags};

impl From<&ValidateArgs> for Flags {
    fn from(args: &ValidateArgs) -> Self {
        let validation = ValidationFlags {
            page: args.page.clone(),
            http: args.http.clone(),
            cacert: args.cacert.clone(),
            protected: args.protected.clone(),
            rate_limit: args.rate_limit.clone(),
            cors_allow: args.cors_allow.clone(),
            cors_path: args.cors_path.clone(),
            log_in: args.log_in.clone(),
        };
        Self {
            plan: args.plan.clone(),
            target: args.target.clone(),
            variable: args.variable.clone(),
            own: args.i_own_this_target,
            validation,
            ..Self::default()
        }
    }
}

impl From<&SmokeArgs> for Flags {
    fn from(args: &SmokeArgs) -> Self {
        Self {
            plan: args.plan.clone(),
            target: args.target.clone(),
            http2: args.http2.clone(),
            variable: args.variable.clone(),
            own: args.i_own_this_target,
            ..Self::default()
        }
    }
}

impl From<&RunArgs> for Flags {
    fn from(args: &RunArgs) -> Self {
        Self {
            plan: args.plan.clone(),
            target: args.target.clone(),
            users: args.users.clone(),
            run_time: args.run_time.clone(),
            rate: args.rate.clone(),
            arrivals: args.arrivals.clone(),
            profile: args.profile.clone(),
            ramp: args.ramp.clone(),
            think: args.think.clone(),
            requests: args.requests.clone(),
            max_errors: args.max_errors.clone(),
            http2: args.http2.clone(),
            require: args.require.clone(),
            abort_after: args.abort_after.clone(),
            variable: args.variable.clone(),
            agents: args.agents.clone(),
            calm: args.calm.clone(),
            own: args.i_own_this_target,
            validation: ValidationFlags::default(),
        }
    }
}
