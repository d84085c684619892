//! What a system's tick costs beside the components' own work: three in a row,
//! and the same three as closures over slots, written by hand.

mod sketch;

use std::hint::black_box;

use lk::component::{Component, In, Io, Out, StepResult};
use lk::system::{System, SystemBuilder};
use serde::{Deserialize, Serialize};

use crate::measure::{Subject, Table};
use sketch::Sketch;

const TICKS: u64 = 1_000_000;

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Motion {
    position: f64,
    velocity: f64,
}

pub fn run(table: &mut Table) {
    const TICK: &str = "system/tick/3-components";
    if !table.wants(TICK) {
        return;
    }
    let mut system = system();
    let mut sketch = by_hand();
    table.measure_cpu(
        TICK,
        "ticks/s",
        vec![
            Subject::new("lk", || {
                system.run_for(TICKS).expect("nothing fails");
                black_box(system.output::<f64>("force").expect("it is public"));
                TICKS
            }),
            Subject::peer("closures over slots, written by hand", || {
                (0..TICKS).for_each(|_| sketch.tick());
                black_box(sketch.get::<f64>(2));
                TICKS
            }),
        ],
    );
    assert!(system.output::<f64>("force").expect("it is public") == sketch.get::<f64>(2));
}

struct Plant(Motion, In<f64>, Out<Motion>);
struct Sensor(In<Motion>, Out<Motion>);
struct Controller(In<Motion>, Out<f64>);

impl Component for Plant {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.0 = moved(self.0, io.get(self.1).copied().unwrap_or(0.0));
        io.set(self.2, self.0);
        Ok(())
    }
}

impl Component for Sensor {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(motion) = io.get(self.0) {
            let measured = measured(motion);
            io.set(self.1, measured);
        }
        Ok(())
    }
}

impl Component for Controller {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(motion) = io.get(self.0) {
            let force = force(motion);
            io.set(self.1, force);
        }
        Ok(())
    }
}

fn moved(motion: Motion, force: f64) -> Motion {
    let velocity = motion.velocity + (force - motion.velocity) * 1e-3;
    Motion { position: motion.position + velocity * 1e-3, velocity }
}

fn measured(motion: &Motion) -> Motion {
    Motion { position: motion.position + 1e-4, velocity: motion.velocity }
}

fn force(motion: &Motion) -> f64 {
    (40.0 * (1.0 - motion.position) - 12.0 * motion.velocity).clamp(-10.0, 10.0)
}

fn system() -> System {
    let mut builder = SystemBuilder::new("loop");
    let mut put_together = || {
        builder.add("plant", |ports| {
            Ok(Plant(Motion::default(), ports.input("force")?, ports.output("motion")?))
        })?;
        builder
            .add("sensor", |ports| Ok(Sensor(ports.input("motion")?, ports.output("measured")?)))?;
        builder.add("controller", |ports| {
            Ok(Controller(ports.input("measured")?, ports.output("force")?))
        })?;
        builder.connect("plant.motion", "sensor.motion")?;
        builder.connect("sensor.measured", "controller.measured")?;
        builder.connect_delayed("controller.force", "plant.force")?;
        builder.expose_output("force", "controller.force")
    };
    put_together().expect("a graph");
    builder.build().expect("a graph")
}

fn by_hand() -> Sketch {
    let mut sketch = Sketch::new(1_000_000);
    let mut motion = Motion::default();
    sketch.add(move |slots, now| {
        motion = moved(motion, slots[2].get().copied().unwrap_or(0.0));
        slots[0].set(motion, now);
    });
    sketch.add(|slots, now| {
        if let Some(motion) = slots[0].get() {
            let measured = measured(motion);
            slots[1].set(measured, now);
        }
    });
    sketch.add(|slots, now| {
        if let Some(motion) = slots[1].get() {
            let force = force(motion);
            slots[2].set(force, now);
        }
    });
    sketch
}
