import GradientTransformations
import PrivateTraining

extension ModelOptions {
    /// Sets what the options say of the model and of what it begins from, and notes what is wrong with it.
    ///
    /// Throws `FileError` and `TrainingConfigurationError` for a file with layers that is none.
    func addModel(to settings: inout Settings) throws {
        settings.addMissing("--init", at: initial)
        settings.addMissing("--mapping", at: mapping)
        if let name = model {
            if name.hasSuffix(".json") {
                settings.set("architecture", to: try readConfiguration(name, JSONValue.self))
                settings.remove("model")
            } else {
                settings.set("model", to: .text(name))
                settings.remove("architecture")
            }
        }
        if settings["model"] != nil, settings["architecture"] != nil {
            settings.add(
                "\(settings.name(of: "model")) and \(settings.name(of: "architecture")) both say what the model is: "
                    + "leave one of them out.")
        }
        if let initial { settings.set("init", to: .text(initial)) }
        if let mapping { settings.set("mapping", to: .text(mapping)) }
        if settings["mapping"] != nil, settings["init"] == nil {
            settings.add(
                "\(settings.name(of: "mapping")) says what the tensors of a file are, but \(settings.name(of: "init")) "
                    + "is missing: give the safetensors file, or leave the mapping out.")
        }
        if !freeze.isEmpty { settings.set("frozen", to: .list(freeze.map { .text($0) })) }
        if averageTail != nil {
            settings.set("averaging.fraction", to: averageTail)
            settings.complete("averaging.kind", with: .text("tail"))
            settings.remove("averaging.decay")
        }
    }

    /// Sets what the options say of the optimizer, and notes what is wrong with it.
    func addOptimizer(to settings: inout Settings) {
        if let name = optimizer?.value, settings["optimizer.name"] != name.json {
            // Another optimizer's numbers mean something else, its rate included.
            settings.remove("optimizer")
        }
        settings.set("optimizer.name", to: optimizer)
        settings.set("optimizer.learningRate", to: learningRate)
        settings.set("optimizer.momentum", to: momentum)
        if scaleThenPrivatize, settings["optimizer.scaleThenPrivatize"] == nil {
            settings.set("optimizer.scaleThenPrivatize", to: .object([:]))
        }
        settings.set("optimizer.scaleThenPrivatize.epsilon", to: scaleEpsilon)
        let isScaled = settings["optimizer.scaleThenPrivatize"] != nil
        if settings["optimizer"] != nil || optimizer != nil, settings["optimizer.name"] == nil {
            settings.complete("optimizer.name", with: .text(isScaled ? "adam" : "sgd"))
            if !isScaled, settings["optimizer.momentum"] == nil {
                settings.complete("optimizer.momentum", with: .number(0.9))
            }
        }
        if isScaled, case .text(let name)? = settings["optimizer.name"],
            let optimizer = NamedOptimizer.table.first(where: { $0.name == name }), !optimizer.isAdaptive
        {
            settings.add(
                "\(settings.name(of: "optimizer.scaleThenPrivatize")): "
                    + TrainingConfigurationError.noSecondMoment(optimizer: name).description)
        }
    }
}
