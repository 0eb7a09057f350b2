//! The state that a journal leads to: a dispatcher, and what the server keeps beside it.

use std::sync::Arc;

use doorstep_dispatch_core::{
    Dispatcher, Handled, Input, Output, PolicyError, Rejection, RoundResult, RoutedTravelTimes,
    Time,
};
use doorstep_dispatch_wire::dispatch::DeliveryEvent;
use doorstep_dispatch_wire::journal::record::Input as Recorded;
use doorstep_dispatch_wire::journal::{self as wire, Record};
use prost::Message;

use crate::convert;
use crate::event_log::EventLog;
use crate::journal::drives::Kept;
use crate::journal::{Replay, Setup, State};
use crate::requests::Requests;

/// What a record says.
pub(crate) enum Happened<'a> {
    /// An input, and what became of it.
    Input(&'a Input, Result<Handled, Rejection>),
    /// A round came back.
    Round,
}

/// Hears when something happened, and what it caused.
pub(crate) type Watch = Box<dyn FnMut(Time, &Happened<'_>, &[Output])>;

/// A dispatcher that follows a journal.
pub(crate) struct Replica {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) events: Arc<EventLog>,
    pub(crate) requests: Arc<Requests>,
    /// Time of the last input.
    pub(crate) last: Time,
    /// Hears what each record did.
    pub(crate) watch: Option<Watch>,
    /// Records later than this are not wanted.
    pub(crate) until: Option<Time>,
    setup: Setup,
    stream: String,
    /// For inputs whose travel times were not kept; none: they cannot be replayed.
    travel: Option<(RoutedTravelTimes, String)>,
    outputs: Vec<Output>,
}

impl Replica {
    /// Nothing has happened yet. `travel` are the travel times of the map that `setup` names.
    ///
    /// # Errors
    /// If the policy cannot work.
    pub(crate) fn new(
        setup: Setup,
        travel: Option<RoutedTravelTimes>,
        events: Arc<EventLog>,
        requests: Arc<Requests>,
    ) -> Result<Self, PolicyError> {
        let travel = travel.map(|travel| (travel, setup.roads.clone()));
        Ok(Self {
            dispatcher: Dispatcher::new(setup.policy.clone())?,
            events,
            requests,
            last: Time::EPOCH,
            setup,
            watch: None,
            until: None,
            stream: String::new(),
            travel,
            outputs: Vec::new(),
        })
    }

    /// The version that wrote what was replayed last.
    pub(crate) fn code(&self) -> &str {
        &self.setup.code
    }

    /// Handles the input as it was handled when the record was written.
    fn handle(
        &mut self,
        now: Time,
        input: Input,
        record: &Record,
    ) -> Result<Result<Handled, Rejection>, String> {
        let result = if record.check.is_none() || record.drives_left_out {
            let Some((travel, roads)) = &mut self.travel else {
                return Err("its travel times were not kept, and there is no map here".to_owned());
            };
            if *roads != self.setup.roads {
                let theirs = &self.setup.roads;
                return Err(format!(
                    "its travel times were not kept; they are those of the map with {theirs}, and this is {roads}"
                ));
            }
            self.dispatcher.handle(now, input, travel)
        } else {
            let mut kept = Kept::of(record);
            let result = self.dispatcher.handle(now, input, &mut kept);
            if !kept.fits() {
                return Err(
                    "this version asks for other travel times than were asked for then".to_owned(),
                );
            }
            result
        };
        self.drain(record)?;
        Ok(result)
    }

    /// Takes the result of a round, as it was taken then.
    fn round(&mut self, now: Time, result: RoundResult, record: &Record) -> Result<(), String> {
        self.dispatcher.handle_round(now, result);
        self.drain(record)?;
        self.take_outputs(now, &Happened::Round);
        Ok(())
    }

    /// Collects what the record caused; an error if that is not what it caused then.
    fn drain(&mut self, record: &Record) -> Result<(), String> {
        self.outputs.clear();
        while let Some(output) = self.dispatcher.poll_output() {
            self.outputs.push(output);
        }
        match record.check {
            Some(check) if check != check_of(&self.dispatcher) => {
                Err("this version decides otherwise than was decided then".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn take_outputs(&mut self, now: Time, happened: &Happened<'_>) {
        if let Some(watch) = &mut self.watch {
            watch(now, happened, &self.outputs);
        }
        // Drivers get their plans again when they reconnect.
        let events = self.outputs.drain(..).filter_map(|output| match output {
            Output::DeliveryChanged(event) => Some(convert::event(&event)),
            _ => None,
        });
        let events: Vec<DeliveryEvent> = events.collect();
        for event in &events {
            self.requests.hear(event);
        }
        self.events.append(events);
        self.last = now;
    }
}

/// The first bytes of the digest, as a record keeps them.
pub(crate) fn check_of(dispatcher: &Dispatcher) -> u32 {
    let [a, b, c, d, ..] = dispatcher.digest();
    u32::from_le_bytes([a, b, c, d])
}

impl Replay for Replica {
    fn restore(&mut self, snapshot: wire::Snapshot) -> Result<(), String> {
        let setup = snapshot.setup.as_ref().ok_or("it has no setup")?;
        self.setup = Setup::from_message(setup)?;
        let dispatcher = Dispatcher::restore(self.setup.policy.clone(), &snapshot.state);
        self.dispatcher = dispatcher.map_err(|error| error.to_string())?;
        self.stream = snapshot.stream;
        self.last = Time::from_millis(snapshot.now_ms);
        let events = snapshot
            .events
            .iter()
            .map(|event| DeliveryEvent::decode(event.as_slice()));
        let events: Result<Vec<DeliveryEvent>, _> = events.collect();
        let events = events.map_err(|error| error.to_string())?;
        self.events.restore(snapshot.last_cursor, events);
        for request in &snapshot.requests {
            let delivery = convert::journal_delivery_id(&request.delivery_id);
            let delivery = delivery.map_err(|error| error.to_string())?;
            self.requests.note(delivery, &request.request_id);
        }
        Ok(())
    }

    fn begin_segment(&mut self, segment: &wire::Segment) -> Result<(), String> {
        let setup = segment.setup.as_ref().ok_or("the segment has no setup")?;
        let setup = Setup::from_message(setup)?;
        if setup != self.setup {
            self.change_setup(&setup)?;
        }
        if segment.digest != self.dispatcher.digest() {
            return Err(
                "the segment begins with another digest than the one before ends with".to_owned(),
            );
        }
        self.stream.clone_from(&segment.stream);
        Ok(())
    }

    fn wants(&self, record: &Record) -> bool {
        self.until
            .is_none_or(|until| record.now_ms <= until.as_millis())
    }

    fn record(&mut self, mut record: Record) -> Result<(), String> {
        if let Some(Recorded::RoundSolved(round)) = &record.input {
            let result = RoundResult::from_bytes(&round.result);
            let result = result.map_err(|error| error.to_string())?;
            return self.round(Time::from_millis(record.now_ms), result, &record);
        }
        let request = convert::request_of(&record);
        let bare = Record {
            now_ms: record.now_ms,
            input: record.input.take(),
            ..Record::default()
        };
        let (now, input) = convert::from_record(bare).map_err(|error| error.to_string())?;
        let result = self.handle(now, input, &record)?;
        if let (Ok(_), Some((delivery, id))) = (&result, request) {
            self.requests.note(delivery, &id);
        }
        self.take_outputs(now, &Happened::Input(&input, result));
        Ok(())
    }
}

impl State for Replica {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn change_setup(&mut self, setup: &Setup) -> Result<(), String> {
        let changed = self.dispatcher.set_policy(setup.policy.clone());
        changed.map_err(|error| error.to_string())?;
        self.setup = setup.clone();
        Ok(())
    }

    fn stream(&self) -> &str {
        &self.stream
    }

    fn digest(&self) -> [u8; 32] {
        self.dispatcher.digest()
    }

    fn snapshot(&self) -> wire::Snapshot {
        snapshot_of(&self.dispatcher, &self.events, &self.requests, self.last)
    }
}

/// Everything but what the journal adds.
pub(crate) fn snapshot_of(
    dispatcher: &Dispatcher,
    events: &EventLog,
    requests: &Requests,
    last: Time,
) -> wire::Snapshot {
    let (last_cursor, events) = events.all();
    let requests = requests.all().into_iter();
    wire::Snapshot {
        now_ms: last.as_millis(),
        state: dispatcher.snapshot(),
        last_cursor,
        events: events.iter().map(DeliveryEvent::encode_to_vec).collect(),
        requests: requests
            .map(|(delivery, request)| wire::RequestOf {
                delivery_id: delivery.0.to_be_bytes().to_vec(),
                request_id: request.to_string(),
            })
            .collect(),
        ..wire::Snapshot::default()
    }
}
